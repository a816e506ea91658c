/** `muster explain ID`: why it ended as it did: what went wrong first, and the line that did it. */
import type { Command } from 'commander';
import { explain } from '../../answers/explain/explain.ts';
import { Explanation } from '../../answers/explain/explanation.ts';
import { type Cli, printJson } from '../command.ts';
import { type AnswerOptions, answerCommand, withAnswer } from '../evidence.ts';
import { EXIT } from '../exit.ts';
import { renderExplanation } from '../pages/explain-page.ts';

export function explainCommand(cli: Cli): Command {
  return answerCommand('explain', 'tell what went wrong first, with file and line', [
    'muster explain 12',
    'muster explain 12 --json',
    'muster explain --bundle job-12.bundle',
  ]).action((id: number | undefined, options: AnswerOptions) =>
    withAnswer(
      cli,
      id,
      options,
      { path: '/explanation', shape: Explanation, from: explain },
      async (explanation, io) => {
        if (options.json) await printJson(io, explanation);
        else await io.out(renderExplanation(explanation, io));
        return EXIT.ok;
      },
    ),
  );
}
