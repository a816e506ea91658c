/** Who leads a cluster: any of its servers is asked, and when none can say, it is told what each of them did. */
import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import gossipPb from '@eventstore/db-client/generated/gossip_pb.js';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import type { Metadata } from '@grpc/grpc-js';
import { type Endpoint, meaningOf, NotNow, textOf } from './patience.ts';
import type { Door } from './tls.ts';

const GOSSIP_TIMEOUT_MS = 2_000;

interface Asking {
  doorTo(host: Endpoint): Door;
  metadata: Metadata;
}

/**
 * @param asking the server that was used last is asked last
 * @throws NotNow when no server knows one now; what all of them refuse is thrown as it is
 */
export async function findLeader(
  hosts: readonly Endpoint[],
  asking: Asking & { last: Endpoint | undefined },
): Promise<Endpoint> {
  const faults: Error[] = [];
  for (const host of inTurn(hosts, asking.last)) {
    try {
      const leader = await leaderBy(host, asking);
      if (leader !== undefined) return leader;
      faults.push(new NotNow(`${textOf(host)} knows of no leader`));
    } catch (fault) {
      faults.push(fault as Error);
    }
  }
  const [first] = faults;
  if (first !== undefined && !faults.some((fault) => fault instanceof NotNow)) throw first;
  throw new NotNow(faults.map(({ message }) => message.split('\n')[0]).join('; '));
}

function inTurn(hosts: readonly Endpoint[], last: Endpoint | undefined): Endpoint[] {
  const isLast = (host: Endpoint) => last !== undefined && textOf(host) === textOf(last);
  const start = Math.floor(Math.random() * hosts.length);
  const turned = [...hosts.slice(start), ...hosts.slice(0, start)];
  return [...turned.filter((host) => !isLast(host)), ...turned.filter(isLast)];
}

function leaderBy(host: Endpoint, { doorTo, metadata }: Asking): Promise<Endpoint | undefined> {
  const where = textOf(host);
  const { credentials, options } = doorTo(host);
  const client = new gossipGrpc.GossipClient(where, credentials, {
    ...options,
    'grpc.use_local_subchannel_pool': 1,
  });
  const deadline = Date.now() + GOSSIP_TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    client.read(new sharedPb.Empty(), metadata.clone(), { deadline }, (fault, info) => {
      client.close();
      if (fault === null) resolve(leaderIn(info));
      else {
        const meaning = meaningOf(fault, where);
        reject(meaning instanceof NotNow ? new NotNow(`${where}: ${meaning.message}`) : meaning);
      }
    });
  });
}

function leaderIn(info: gossipPb.ClusterInfo): Endpoint | undefined {
  const { LEADER } = gossipPb.MemberInfo.VNodeState;
  const leader = info
    .getMembersList()
    .find((member) => member.getIsAlive() && member.getState() === LEADER)
    ?.getHttpEndPoint();
  return leader && { address: leader.getAddress(), port: leader.getPort() };
}
