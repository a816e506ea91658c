/** What is measured, the same for Muster and for whatever it is measured against. */

/** A group of members that meet, each on a connection of its own unless the peer says otherwise. */
export interface Group {
  /** All members but the last arrive; resolves when they wait. */
  gather(): Promise<void>;
  /** The last one arrives; resolves when every member was released. */
  release(): Promise<void>;
  /** Whoever still polls gives up; only for members that poll. */
  leave?(): void;
}

/** One connection. Several `send`s may be under way at once. */
export interface Sender {
  /** Resolves when one message is acknowledged. */
  send(): Promise<void>;
}

export interface Peer {
  name: string;
  /** Its program's version, where it is a program of somebody else. */
  version?: string;
  /** What an acknowledgement promises. */
  promise: string;
  groups(count: number, size: number): Promise<Group[]>;
  /** `undefined`: this peer has no such thing. */
  senders?(count: number): Promise<Sender[]>;
  /** Its barrier is so slow that a few rounds tell all. */
  roundsMax?: number;
  close(): Promise<void>;
}
