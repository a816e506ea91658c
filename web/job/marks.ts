/** The marks on the lanes: what is a point in time; and flags, which somebody put there. */
import type { JobFold } from './fold.ts';
import type { Colours, Paint } from './picture.ts';
import { firstThat } from './search.ts';

/** A send is a dot, a result a diamond, an end a flag, whatever went wrong a cross. What lies on one spot is painted once. */
export function paintMarks(is: Paint, index: number): void {
  const { fold, at, colours, laneHeight, width } = is;
  const lane = fold.lanes[index];
  if (lane === undefined) return;
  const y = is.y(index) + laneHeight / 2;
  const size = laneHeight >= 26 ? 4 : 2.5;
  const apart = laneHeight >= 26 ? 1 : 2;
  const [sends, passes, others] = [new Path2D(), new Path2D(), new Path2D()];
  let last = Number.NEGATIVE_INFINITY;
  const first = firstThat(lane.marks.length, (n) => is.x(lane.marks[n] ?? 0) >= -6);
  const loud: number[] = [];
  for (let n = first; n < lane.marks.length; n++) {
    const mark = lane.marks[n] ?? 0;
    const x = is.x(mark);
    if (x > width + size) break;
    const event = fold.events[mark];
    const isFail = event?.type === 'ResultRecorded' && event.data.result === 'fail';
    if (isFail || (event?.type !== 'MessageSent' && event?.type !== 'ResultRecorded')) {
      loud.push(mark);
      continue;
    }
    if (x < last + apart) continue;
    last = x;
    if (event.type === 'MessageSent') dot(sends, x, y, size);
    else diamond(event.data.result === 'pass' ? passes : others, x, y, size + 1);
  }
  for (const [path, colour] of [
    [others, colours.soft],
    [passes, colours.good],
    [sends, colours.ink],
  ] as const) {
    at.fillStyle = colour;
    at.fill(path);
  }
  for (const mark of loud) paintLoud(at, colours, fold, mark, is.x(mark), y, size);
}

function dot(path: Path2D, x: number, y: number, size: number): void {
  path.moveTo(x + size, y);
  path.arc(x, y, size, 0, 2 * Math.PI);
}

function diamond(path: Path2D, x: number, y: number, size: number): void {
  path.moveTo(x, y - size);
  path.lineTo(x + size, y);
  path.lineTo(x, y + size);
  path.lineTo(x - size, y);
  path.closePath();
}

function paintLoud(
  at: CanvasRenderingContext2D,
  colours: Colours,
  fold: JobFold,
  mark: number,
  x: number,
  y: number,
  size: number,
): void {
  const event = fold.events[mark];
  if (event?.type === 'MemberCompleted') {
    at.fillStyle = colours.good;
    at.fillRect(x - 1, y - 2 * size, 2, 4 * size);
    return;
  }
  at.strokeStyle = event?.type === 'MemberCancelled' ? colours.warn : colours.bad;
  at.lineWidth = 2;
  at.beginPath();
  at.moveTo(x - size, y - size);
  at.lineTo(x + size, y + size);
  at.moveTo(x + size, y - size);
  at.lineTo(x - size, y + size);
  at.stroke();
  at.lineWidth = 1;
}

const FLAG_HEIGHT = 15;

/** Flags lie on all else, each with its words: a line through its lane, and a label at its foot that stays in sight. */
export function paintFlags(is: Paint): void {
  const { at, colours, flags, x, y, laneHeight, width, firstLane, lastLane } = is;
  for (const { event, lane, text, tone } of flags) {
    if (lane < firstLane || lane > lastLane) continue;
    const left = x(event);
    if (left < -1 || left > width + 1) continue;
    const foot = y(lane) + laneHeight;
    at.fillStyle = colours[tone];
    at.fillRect(left - 1, y(lane), 2, laneHeight);
    const wide = at.measureText(text).width + 8;
    const from = left + wide < width ? left - 1 : left + 1 - wide;
    at.fillRect(from, foot - FLAG_HEIGHT, wide, FLAG_HEIGHT);
    at.fillStyle = colours.ground;
    at.fillText(text, from + 4, foot - 4);
  }
}
