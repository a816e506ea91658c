/** The marks on the lanes: what is a point in time; and flags, which somebody put there. */
import type { JobFold } from './fold.ts';
import { type Colours, firstThat, type Paint } from './picture.ts';

export function paintMarks(is: Paint, index: number): void {
  const { fold, at, colours, laneHeight, width } = is;
  const lane = fold.lanes[index];
  if (lane === undefined) return;
  const middle = is.y(index) + laneHeight / 2;
  const size = laneHeight >= 26 ? 4 : 2.5;
  let last = Number.NEGATIVE_INFINITY;
  const first = firstThat(lane.marks.length, (n) => is.x(lane.marks[n] ?? 0) >= -6);
  for (let n = first; n < lane.marks.length; n++) {
    const mark = lane.marks[n] ?? 0;
    const x = is.x(mark);
    if (x > width + size) break;
    const type = fold.events[mark]?.type ?? '';
    const isLoud = type !== 'MessageSent' && type !== 'ResultRecorded';
    if (x < last + 1 && !isLoud) continue;
    last = x;
    paintMark(at, colours, fold, mark, x, middle, size);
  }
}

/** A send is a dot, a result a diamond, an end a flag, whatever went wrong a cross. */
function paintMark(
  at: CanvasRenderingContext2D,
  colours: Colours,
  fold: JobFold,
  mark: number,
  x: number,
  y: number,
  size: number,
): void {
  const event = fold.events[mark];
  at.beginPath();
  if (event?.type === 'MessageSent') {
    at.fillStyle = colours.ink;
    at.arc(x, y, size, 0, 2 * Math.PI);
    at.fill();
    return;
  }
  const isFail = event?.type === 'ResultRecorded' && event.data.result === 'fail';
  if (event?.type === 'ResultRecorded' && !isFail) {
    at.fillStyle = event.data.result === 'pass' ? colours.good : colours.soft;
    at.moveTo(x, y - size - 1);
    at.lineTo(x + size + 1, y);
    at.lineTo(x, y + size + 1);
    at.lineTo(x - size - 1, y);
    at.fill();
    return;
  }
  if (event?.type === 'MemberCompleted') {
    at.fillStyle = colours.good;
    at.fillRect(x - 1, y - 2 * size, 2, 4 * size);
    return;
  }
  at.strokeStyle = event?.type === 'MemberCancelled' ? colours.warn : colours.bad;
  at.lineWidth = 2;
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
