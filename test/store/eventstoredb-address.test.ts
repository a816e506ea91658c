/** Addresses of EventStoreDB: what each one means, and that a wrong one is refused at once, with its reason. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { credentials, Metadata } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAddress } from '../../store/eventstoredb/address.ts';
import { findLeader } from '../../store/eventstoredb/leader.ts';
import { doorsOf } from '../../store/eventstoredb/tls.ts';
import { type Undo, undoAll } from './events.ts';
import { startStandIn } from './eventstore-grpc-server.ts';

const undo: Undo = [];
afterEach(() => undoAll(undo));

describe('an address', () => {
  it('names one server, with TLS and its usual port where nothing else is said', () => {
    expect(parseAddress('esdb://db')).toEqual({
      hosts: [{ address: 'db', port: 2113 }],
      isDiscovered: false,
      tls: true,
      settings: new Map(),
    });
  });

  it('names the servers of a cluster, a login and settings', () => {
    const text =
      'esdb://us%3Aer:p%40ss@10.0.0.1:2113,db_2:2114/?TLS=false&tlsCaFile=/a%20b&nodePreference=leader';
    expect(parseAddress(text)).toEqual({
      hosts: [
        { address: '10.0.0.1', port: 2113 },
        { address: 'db_2', port: 2114 },
      ],
      isDiscovered: true,
      login: { user: 'us:er', password: 'p@ss' },
      tls: false,
      settings: new Map([
        ['tls', 'false'],
        ['tlsCAFile', '/a b'],
      ]),
    });
    expect(parseAddress('esdb+discover://db').isDiscovered).toBe(true);
  });

  it('names servers by IPv6 addresses in brackets', () => {
    expect(parseAddress('esdb://[::1]:2114,[fd00::12]?tls=false').hosts).toEqual([
      { address: '::1', port: 2114 },
      { address: 'fd00::12', port: 2113 },
    ]);
  });

  it.each([
    ['', 'it does not begin with esdb://'],
    ['http://db', 'it does not begin with esdb://'],
    ['esdb://', 'it names no host'],
    ['esdb://?tls=false', 'it names no host'],
    ['esdb://a,,b', 'it names no host'],
    ['esdb://db:port', "'db:port' is not HOST or HOST:PORT"],
    ['esdb://db:0', 'is not HOST or HOST:PORT'],
    ['esdb://db:65536', 'is not HOST or HOST:PORT'],
    ['esdb://d b', 'is not HOST or HOST:PORT'],
    ['esdb://::1', 'an IPv6 address is written [::1]:2113'],
    ['esdb://[10.0.0.1]', 'is not HOST or HOST:PORT'],
    ['esdb://[]:2113', 'is not HOST or HOST:PORT'],
    ['esdb://[::1]2113', 'is not HOST or HOST:PORT'],
    ['esdb://db/other', 'part of a login'],
    ['esdb://user:se@cret@db', 'write %40 for @'],
    ['esdb://user@db', 'a login is USER:PASSWORD'],
    ['esdb://user:@db', 'a login is USER:PASSWORD'],
    ['esdb://user:secret:x@db', '%3A'],
    ['esdb://user:secret%zz@db', 'a % is written %25'],
    ['esdb://db?', "'' is not a setting"],
    ['esdb://db?tls', "'tls' is not a setting with its value"],
    ['esdb://db?tls=', "'tls=' is not a setting with its value"],
    ['esdb://db?tls=maybe', 'tls=maybe: it is true or false'],
    ['esdb://db?tls=true&TLS=false', 'tls= comes twice'],
    ['esdb://db?keepAliveInterval=-1', 'keepAliveInterval=-1: it is a number of milliseconds'],
    ['esdb://user:secret@db?tlsVerifyCert=false', 'tlsCAFile=FILE'],
    ['esdb://user:secret@db?caFile=/ca', 'it has no setting caFile'],
  ])('%s is refused', (text, why) => {
    const refusal = expect.objectContaining({
      code: 'store-refused',
      message: expect.stringContaining(why),
    });
    expect(() => parseAddress(text)).toThrow(refusal);
    expect(() => parseAddress(text)).not.toThrow(/secret|cret/);
  });
});

describe('the leader of a cluster', () => {
  const asking = {
    doorTo: () => ({ credentials: credentials.createInsecure(), options: {} }),
    metadata: new Metadata(),
    last: undefined,
  };
  const here = (port: number) => ({ address: '127.0.0.1', port });

  async function portOfRefuser(): Promise<number> {
    const server = createServer((socket) => socket.end('SSH-2.0-none\r\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    undo.push(() => void server.close());
    return (server.address() as AddressInfo).port;
  }

  it('is found when the other servers are no help', async () => {
    const standIn = await startStandIn();
    undo.push(() => standIn.stop());
    const hosts = [here(await portOfRefuser()), here(1), here(standIn.port)];
    expect(await findLeader(hosts, asking)).toEqual(here(standIn.port));
  });

  it('is missed with a word on each server', async () => {
    const port = await portOfRefuser();
    const fault = await findLeader([here(1), here(port)], asking).catch((error) => error);
    expect(fault.name).toBe('NotNow');
    expect(fault.message).toContain('127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1');
    expect(fault.message).toContain(`127.0.0.1:${port}: `);
    expect(fault.message).not.toMatch(/Resolution note|Last error|\n/);
  });

  it('is asked for at an IPv6 address, which keeps its brackets', async () => {
    const fault = await findLeader([{ address: '::1', port: 1 }], asking).catch((error) => error);
    expect(fault.message).toMatch(/^\[::1\]:1: connect /);
  });

  it('is not waited for when no server takes the connection as it is made', async () => {
    const plain = [await startStandIn(), await startStandIn()];
    for (const standIn of plain) undo.push(() => standIn.stop());
    const secure = { ...asking, doorTo: doorsOf(parseAddress('esdb://127.0.0.1'), 'here') };
    const hosts = plain.map(({ port }) => here(port));
    await expect(findLeader(hosts, secure)).rejects.toMatchObject({
      code: 'store-refused',
      message: expect.stringMatching(/no secure connection: SSL routines: wrong version number\n/),
    });
  });
});
