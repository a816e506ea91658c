/** `muster console NAME`: an operator types on a board that no job has; and what operators saw there before. */
import { hostname, userInfo } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { DeviceConsoles } from '../../api/schemas.ts';
import {
  type Cli,
  type CommonOptions,
  type Context,
  countUpTo,
  printJson,
  serverCommand,
  withServer,
} from '../command.ts';
import { converse, QUIET_MS } from '../conversation.ts';
import { CliFailure, EXIT, EXIT_OF_SIGNAL } from '../exit.ts';
import { renderConsoles } from '../pages/consoles-page.ts';
import { hang } from '../pages/text.ts';

const NUMBER_MAX = 999_999_999;

interface ConsoleOptions extends CommonOptions {
  list?: boolean;
  show?: number;
}

export function consoleCommand(cli: Cli): Command {
  return serverCommand('console', 'type on a board that no job has; it is recorded', [
    'muster console panda01',
    'echo reboot | muster console panda01',
    'muster device panda01 --power reset      (in another terminal meanwhile)',
    'muster console panda01 --show 3',
  ])
    .argument('<name>', "the board's name", boardName)
    .option('--list', 'list who had its console, when, and why it ended')
    .option('--show <number>', 'print what one of them saw', countUpTo(NUMBER_MAX))
    .addHelpText(
      'after',
      `
The board gets no job as long as its console is open, and is given back at its
end. Ctrl-] leaves. Hardware is as it was, on or off; a local or QEMU board
boots for its console. From a pipe all of it is typed, and the end comes when
the board has said nothing for ${QUIET_MS / 1_000} s.

Exit status: 0 left, 1 refused or ended by the other side, 2 wrong words,
3 no server, 129, 130 or 143 ended by SIGHUP, SIGINT or SIGTERM.`,
    )
    .action((name: string, options: ConsoleOptions) =>
      withServer(cli, options, (context) => {
        if (options.list) return list(context, name, options);
        if (options.show !== undefined) return show(context, name, options.show);
        if (options.json)
          throw new CliFailure({
            code: 'needs-list',
            exit: EXIT.usage,
            message: '--json goes with --list',
          });
        return talk(context, name);
      }),
    );
}

function boardName(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected the name of a board.');
  return text;
}

const pathOf = (name: string): string => `/api/devices/${encodeURIComponent(name)}`;

async function list({ io, client }: Context, name: string, options: CommonOptions) {
  const consoles = await client.json(`${pathOf(name)}/consoles`, DeviceConsoles);
  if (options.json) await printJson(io, consoles);
  else await io.out(renderConsoles(name, consoles.consoles, io));
  return EXIT.ok;
}

async function show({ io, client }: Context, name: string, number: number): Promise<number> {
  for await (const bytes of client.bytes(`${pathOf(name)}/consoles/${number}`, false))
    await io.out(bytes);
  return EXIT.ok;
}

async function talk({ io, client }: Context, name: string): Promise<number> {
  const told = io.told();
  const socket = await client.socket(
    `${pathOf(name)}/console?user=${encodeURIComponent(whoAmI())}`,
  );
  const typed = io.typed();
  const say = (text: string) =>
    io.err(hang('muster: ', text, io.columns).replaceAll('\n', typed.isTerminal ? '\r\n' : '\n'));
  const end = await converse({
    ...{ socket, typed, told, out: io.out },
    opened: (number) => {
      const how = typed.isTerminal
        ? 'Ctrl-] leaves and gives it back'
        : 'it is given back after the end of the input';
      say(`console of ${name}: it gets no job meanwhile; ${how}; recorded as console ${number}`);
    },
  }).finally(() => typed.close());
  if (end.how === 'left') say(`${name} is given back`);
  else if (end.how === 'ended')
    say(`the console of ${name} is over, and it is given back: ${end.reason}`);
  else say(`the connection to ${client.url} broke: the server gives ${name} back`);
  if (told.aborted) return EXIT_OF_SIGNAL[told.reason as keyof typeof EXIT_OF_SIGNAL];
  return end.how === 'left' ? EXIT.ok : EXIT.failed;
}

/** For whoever comes second. */
function whoAmI(): string {
  try {
    return `${userInfo().username}@${hostname()}`.slice(0, 64);
  } catch {
    return hostname().slice(0, 64);
  }
}
