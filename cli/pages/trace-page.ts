/** What caused an event, from the request on, and what it caused: a tree. */
import type { TracedEvent, TraceNode, TraceView } from '../../answers/views.ts';
import { hang, preciseTimeOfDay } from './text.ts';
import type { Page } from './text-table.ts';

const HOW: Record<TraceNode['how'], string> = { caused: '', ends: 'ends it: ', after: 'then: ' };
/** As deep as it is drawn: a chain of a hundred steps goes on at the same depth. */
const DEPTH_SHOWN_MAX = 12;

export function renderTrace(view: TraceView, page: Page): string {
  const { request, causes, event, effects, cut, otherStreams } = view;
  const { columns, colors } = page;
  const draw = (is: TracedEvent, depth: number, how?: TraceNode['how']): string => {
    const indent = '  '.repeat(Math.min(depth, DEPTH_SHOWN_MAX) + 1);
    const where = is.stream === `job-${view.id}` ? '' : `${is.stream} `;
    const head = `${indent}${where}${is.event}  ${preciseTimeOfDay(is.at)}  `;
    return hang(head, `${how === undefined ? '' : HOW[how]}${is.says}`, columns);
  };
  const drawEffects = (nodes: readonly TraceNode[], depth: number): string[] =>
    nodes.flatMap((node) => [
      draw(node.event, depth, node.how),
      ...drawEffects(node.effects, depth + 1),
    ]);
  // How each event follows stands with its cause: here it stands with what follows.
  const hows = [undefined, ...causes.map(({ how }) => how).toReversed()];
  const chain = causes.toReversed().map((cause, depth) => draw(cause.event, depth, hows[depth]));
  const key = request.key === undefined ? '' : ` (key ${request.key})`;
  return [
    hang('', `${request.actor}${key}`, columns),
    ...request.also.map((also) => draw(also, 0)),
    ...chain,
    colors.bold(draw(event, chain.length, hows[chain.length])),
    ...drawEffects(effects, chain.length + 1),
    cut ? hang('', 'and more: this is as much as one answer tells', columns) : '',
    otherStreams ? '' : hang('', 'what boards and workers did is not known here', columns),
  ].join('');
}
