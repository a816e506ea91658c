/**
 * Which boards a whole group gets: a maximum matching of its slots to boards that keeps the limits of the
 * workers (SEMANTICS 4.2), and of all complete ones the best by preference (4.3). Never role by role: that
 * misses groups.
 *
 * A matching is a set of numbers: how many boards of each class every part of the group has. Boards of a class
 * cannot be told apart, so it takes the first ones of the class.
 */
import { Heap } from './heap.ts';
import { MatchingNetwork } from './matching-network.ts';
import { compareIdle, compareText } from './order.ts';
import type { BoardClass, Demand, Part, Shape, WorkerUse } from './records.ts';
import { type Stock, type StockBy, stockNow, without } from './stock.ts';

export interface Matching {
  /** Whether every slot has a board. */
  complete: boolean;
  /** How many boards of which class each part has. */
  shares: ReadonlyMap<Part, ReadonlyMap<BoardClass, number>>;
  /** The shares of all parts together. */
  taken: ReadonlyMap<BoardClass, number>;
}

type Group = Pick<Shape, 'parts' | 'apart'>;

/**
 * A maximum matching: as many slots as possible have a board. When that is all of them, its boards are the best
 * set by preference: of any other set, the first board in which they differ is less preferred.
 */
export function match(group: Group, stock: Stock): Matching {
  return (group.apart ? matchApart(group.parts, stock) : undefined) ?? matchWhole(group, stock);
}

/** Whether the group can be matched, on whatever boards. */
export function canMatch({ parts, apart }: Group, stock: Stock): boolean {
  let limited = false;
  for (const { demand, count } of parts) {
    let supply = 0;
    for (const boards of demand.classes) {
      const some = supplyOf(boards, stock);
      supply += some;
      limited ||= some > 0 && boards.worker !== undefined;
    }
    if (supply < count) return false;
  }
  if (apart && !limited) return true;
  const blind = blindTo(stock);
  const matching = apart ? matchApart(parts, blind) : undefined;
  return matching === undefined ? networkOf(parts, blind).fill(parts) : matching.complete;
}

/** Whether a group that can be matched could still be without one board of a class, which another group has. */
export function sparedBy({ parts }: Group, stock: Stock): (boards: BoardClass) => boolean {
  const network = networkOf(parts, blindTo(stock));
  network.fill(parts);
  return network.spares();
}

/** The same numbers, but which boards they are is of no interest: in any order. */
function blindTo(stock: Stock): Stock {
  return {
    count: (boards) => stock.count(boards),
    board: () => undefined,
    room: (worker) => stock.room(worker),
  };
}

/** A demand that has too few boards for the group, even if nothing else wanted them. */
export function shortDemand(parts: readonly Part[], stock: Stock): Demand | undefined {
  const supply = ({ classes }: Demand) => {
    let boards = 0;
    for (const each of classes) boards += supplyOf(each, stock);
    return boards;
  };
  return parts.find(({ demand, count }) => supply(demand) < count)?.demand;
}

/** The boards of a class that no limit keeps away. */
export function supplyOf(boards: BoardClass, stock: Stock): number {
  const count = stock.count(boards);
  if (count === 0 || boards.worker === undefined) return count;
  return Math.min(count, Math.max(0, stock.room(boards.worker)));
}

/**
 * A complete matching beside which another group can still be matched by its reserved start; the best one by
 * preference. `impossible`: there is none. `unknown`: none was found.
 *
 * With worker limits it errs on the safe side. First the limits of now are left aside; when the best matching
 * keeps them nevertheless, it is right. When it does not, the two groups share the room that workers have now,
 * so that a matching may be missed: docs/scheduling.md says when.
 */
export function matchBeside(
  group: Group,
  reserved: Group,
  by: StockBy,
): Matching | 'impossible' | 'unknown' {
  const lenient = bestBeside(group, reserved, by, 'by');
  if (lenient === undefined) return 'impossible';
  if (keepsLimits(lenient, stockNow)) return lenient;
  return bestBeside(group, reserved, by, 'now') ?? 'unknown';
}

function bestBeside(
  { parts }: Group,
  reserved: Group,
  by: StockBy,
  roomBy: 'now' | 'by',
): Matching | undefined {
  const own = ownSlots(parts);
  const network = new MatchingNetwork(stockNow, by, roomBy);
  for (const boards of inOrder([...parts, ...reserved.parts], by, own)) network.addBoards(boards);
  network.addReserved(reserved.parts);
  network.addGroup(parts);
  if (!network.fill(reserved.parts) || !network.fill(parts)) return undefined;
  return preferred(network, parts, stockNow, own);
}

function keepsLimits({ taken }: Matching, stock: Stock): boolean {
  const after = without(stock, taken);
  return [...taken.keys()].every(({ worker }) => worker === undefined || after.room(worker) >= 0);
}

/**
 * Part by part, each its preferred boards: right as long as no board fits two parts, and no limit keeps a board
 * from one part because of another. `undefined`: it might, the group is to be looked at as a whole.
 */
function matchApart(parts: readonly Part[], stock: Stock): Matching | undefined {
  const shares = new Map<Part, Map<BoardClass, number>>();
  const taken = new Map<BoardClass, number>();
  const used = new Map<WorkerUse, number>();
  let complete = true;
  for (const part of parts) {
    const share = new Map<BoardClass, number>();
    const offers = offersTo([part], stock);
    let missing = part.count;
    while (missing > 0) {
      const offer = offers.pop();
      if (offer === undefined) break;
      const { boards, index } = offer;
      if (boards.worker !== undefined) {
        const inUse = used.get(boards.worker) ?? 0;
        const full = inUse >= stock.room(boards.worker);
        if (full && parts.length > 1) return undefined;
        if (full) continue;
        used.set(boards.worker, inUse + 1);
      }
      share.set(boards, index + 1);
      taken.set(boards, index + 1);
      missing -= 1;
      if (index + 1 < stock.count(boards)) offers.push({ boards, index: index + 1 });
    }
    shares.set(part, share);
    complete &&= missing === 0;
  }
  return { complete, shares, taken };
}

/** All parts at once, as a flow. */
function matchWhole({ parts }: Group, stock: Stock): Matching {
  const own = ownSlots(parts);
  const network = networkOf(parts, stock, own);
  if (network.fill(parts)) return preferred(network, parts, stock, own);
  return { complete: false, ...sharesOf(network, parts) };
}

function networkOf(
  parts: readonly Part[],
  stock: Stock,
  own?: (boards: BoardClass) => number,
): MatchingNetwork {
  const network = new MatchingNetwork(stock);
  for (const boards of inOrder(parts, stock, own)) network.addBoards(boards);
  network.addGroup(parts);
  return network;
}

function preferred(
  network: MatchingNetwork,
  parts: readonly Part[],
  stock: Stock,
  own: (boards: BoardClass) => number,
): Matching {
  const offers = offersTo(parts, stock, own);
  const slots = parts.reduce((sum, { count }) => sum + count, 0);
  network.prefer(slots, () => {
    const offer = offers.pop();
    if (offer === undefined) return undefined;
    const { boards, index } = offer;
    const more = () => {
      if (index + 1 < stock.count(boards)) offers.push({ boards, index: index + 1 });
    };
    return { boards, index, more };
  });
  return { complete: true, ...sharesOf(network, parts) };
}

function sharesOf(
  network: MatchingNetwork,
  parts: readonly Part[],
): Pick<Matching, 'shares' | 'taken'> {
  const shares = new Map(parts.map((part) => [part, network.shareOf(part)] as const));
  const taken = new Map<BoardClass, number>();
  for (const share of shares.values())
    for (const [boards, count] of share) taken.set(boards, (taken.get(boards) ?? 0) + count);
  return { shares, taken };
}

/** The next board of a class. */
interface Offer {
  boards: BoardClass;
  index: number;
}

/** The boards that fit any of the parts and that no limit keeps away, the preferred first. */
function offersTo(
  parts: readonly Part[],
  stock: Stock,
  own?: (boards: BoardClass) => number,
): Heap<Offer> {
  const offers = new Heap<Offer>(byPreference(stock, own));
  for (const boards of classesOf(parts))
    if (stock.count(boards) > 0 && (boards.worker === undefined || stock.room(boards.worker) > 0))
      offers.push({ boards, index: 0 });
  return offers;
}

/** The classes that fit any of the parts. */
export function classesOf(parts: readonly Part[]): ReadonlySet<BoardClass> {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only.demand.classes;
  const all = new Set<BoardClass>();
  for (const { demand } of parts) for (const boards of demand.classes) all.add(boards);
  return all;
}

/** The classes that fit any of the parts and have boards to give, by the first of these. */
export function inOrder(
  parts: readonly Part[],
  stock: Stock,
  own?: (boards: BoardClass) => number,
): BoardClass[] {
  const offers = offersTo(parts, stock, own);
  const classes: BoardClass[] = [];
  for (let offer = offers.pop(); offer !== undefined; offer = offers.pop())
    classes.push(offer.boards);
  return classes;
}

/**
 * Least wanted by the rest of the queue first, then longest idle, then by name (SEMANTICS 4.3).
 *
 * @param own the slots of the group itself that a board fits: they are not the rest of the queue.
 */
function byPreference(stock: Stock, own: (boards: BoardClass) => number = () => 0) {
  return (a: Offer, b: Offer): number => {
    const wants = a.boards.want - own(a.boards) - (b.boards.want - own(b.boards));
    if (wants !== 0) return wants;
    const first = stock.board(a.boards, a.index);
    const second = stock.board(b.boards, b.index);
    return first === undefined || second === undefined ? 0 : compareIdle(first, second);
  };
}

/** How many slots of the group a board of a class fits. */
function ownSlots(parts: readonly Part[]): (boards: BoardClass) => number {
  const slots = new Map<BoardClass, number>();
  for (const { demand, count } of parts)
    for (const boards of demand.classes) slots.set(boards, (slots.get(boards) ?? 0) + count);
  return (boards) => slots.get(boards) ?? 0;
}

/** The names behind the numbers: those of each class go to the parts in order, those of a part to its roles. */
export function deal({ shares }: Matching, stock: Stock): Map<string, string[]> {
  const dealt = new Map<BoardClass, number>();
  const given = new Map<string, string[]>();
  for (const [part, share] of shares) {
    const names: string[] = [];
    for (const [boards, count] of share) {
      const from = dealt.get(boards) ?? 0;
      dealt.set(boards, from + count);
      for (let index = from; index < from + count; index++)
        names.push(stock.board(boards, index)?.name ?? '');
    }
    names.sort(compareText);
    for (const { role, count } of part.roles)
      given.set(role, (given.get(role) ?? []).concat(names.splice(0, count)).sort(compareText));
  }
  return given;
}

/** The role that each matched board was given to. */
export function holdersOf(given: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  return new Map([...given].flatMap(([role, names]) => names.map((name) => [name, role] as const)));
}
