/** A TCP proxy that cuts, holds and refuses: what lies between a store, or a worker, and its server. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export class TcpProxy {
  readonly #target: number;
  readonly #pairs = new Set<[client: Socket, server: Socket]>();
  readonly #server = createServer((client) => this.#join(client));
  #isHolding = false;
  #isAway = false;

  private constructor(target: number) {
    this.#target = target;
  }

  static async to(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `esdb://127.0.0.1:${this.port}?tls=false`;
  }

  /** From now on the server hears everything, and nothing that it says arrives. */
  holdAnswers(): void {
    this.#isHolding = true;
    for (const [, server] of this.#pairs) server.pause();
  }

  /** Breaks every connection; new ones are taken. */
  cut(): void {
    this.#isHolding = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#pairs.clear();
  }

  /** Breaks every connection and takes none. */
  goAway(): void {
    this.#isAway = true;
    this.cut();
  }

  comeBack(): void {
    this.#isAway = false;
  }

  close(): void {
    this.goAway();
    this.#server.close();
  }

  #join(client: Socket): void {
    if (this.#isAway) {
      client.destroy();
      return;
    }
    const server = connect(this.#target, '127.0.0.1');
    const pair: [Socket, Socket] = [client, server];
    this.#pairs.add(pair);
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => client.write(bytes));
    if (this.#isHolding) server.pause();
    for (const socket of pair) {
      // A broken end breaks the other one; the fault itself is what the test is about.
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
  }
}
