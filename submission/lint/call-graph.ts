/**
 * The call graph of what one role runs: each call of the MultiNode API with its place in the file, the conditions under
 * which it is reached, and what is known of its words. Made by reading scripts, not by running them; `muster lint` runs
 * it on the machines, `muster explain` finds lines in it.
 */
import type { Pattern } from './patterns.ts';

/** What a script calls that matters to its group. */
export type CallVerb =
  | 'send'
  | 'wait'
  | 'wait-all'
  | 'sync'
  /** `lava-network broadcast`: a send of `network_info`. */
  | 'broadcast'
  /** `lava-network collect`: a wait-all for `network_info`. */
  | 'collect'
  | 'test-case'
  | 'test-raise';

/** A place in a file. Lines and columns count from 1; of a step of a definition: in the definition's own file. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What a call stands in, from the outside to the inside. */
export type Around =
  | 'test-case'
  | 'background'
  | 'timeout'
  | 'pipeline'
  | 'subshell'
  | 'substitution'
  | 'function'
  | 'sourced'
  | 'script'
  | 'loop'
  | 'trap'
  /** `... || true`, or anything else that makes its failure disappear. */
  | 'or-true'
  /** `if lava-wait x; then`, `while`, `!`, left of `&&` or `||`: `set -e` does not end the script there. */
  | 'condition';

/** Something that must hold for the call to be reached. */
export interface Condition extends Place {
  /** As it is written, such as `[ "$MODE" = fast ]`, shortened. */
  readonly text: string;
  /** Whether it must be so, or must not. */
  readonly holds: boolean;
  /** It was decided (the role, a parameter, a loop's variable), or it depends on what is known at run time only. */
  readonly known: boolean;
}

export interface CallSite extends Place {
  /** Place of the first call in the role's order; each site has a different one. */
  readonly order: number;
  /** The call as it is written, on one line, shortened. */
  readonly text: string;
  /** All of the line in which it stands, without blanks around it. */
  readonly lineText: string;
  readonly verb: CallVerb;
  /** The message id; of a test case its id. */
  readonly id: Pattern;
  /** Of `wait-all` and `collect`. */
  readonly role?: Pattern;
  /** Of a send: `k=v` words, cut at the first `=`. */
  readonly pairs: readonly (readonly [key: Pattern, value: Pattern])[];
  /** Words that are more than the verb takes, or no `k=v`. */
  readonly extra: readonly Pattern[];
  readonly when: readonly Condition[];
  /** How often it is called in one run of the scripts; `many`: by a loop that is longer than is unrolled. */
  readonly times: number | 'many' | 'unknown';
  readonly within: readonly Around[];
  /** `timeout 5 lava-wait x`: the limit in seconds. */
  readonly limitSeconds?: number;
  /** The files and functions through which it is reached, the outermost first: where each was called. */
  readonly via: readonly (Place & { readonly name: string })[];
}

/** A key that a script takes from the cache file of the last wait, or from `lava-network query`. */
export interface CacheRead extends Place {
  readonly key: Pattern;
  /** By `order`: the wait that filled the cache file before it, where there is one on every way to it. */
  readonly after: number | null;
  readonly text: string;
  readonly from: 'cache' | 'network';
}

/** Something in the scripts that could not be resolved: whatever depends on it is not known. */
export interface Unresolved extends Place {
  readonly what: 'file' | 'word' | 'condition' | 'loop' | 'command' | 'syntax' | 'shell' | 'limit';
  readonly text: string;
}

/** What one role runs, in order. */
export interface CallGraph {
  readonly role: string;
  /** It asks who the board is: other members of the role may run something else. */
  readonly isOfMember: boolean;
  /** It asks who is in the group. */
  readonly isOfGroup: boolean;
  /** In the order in which they are first reached. */
  readonly sites: readonly CallSite[];
  readonly reads: readonly CacheRead[];
  readonly unresolved: readonly Unresolved[];
  /** Where a script ends for certain before its end. */
  readonly deaths: readonly Death[];
  /** Files that were read, definitions and scripts. */
  readonly files: readonly string[];
  /** What is run on the machines: the calls with the choices between them. */
  readonly program: readonly Op[];
  /** Of holes in words, by their ids. */
  readonly cases: ReadonlyMap<string, Cases>;
}

/** A step of a program. */
export type Op =
  | { readonly op: 'call'; readonly call: Call }
  /**
   * One of the ways is taken. Where `key` is that of a call, a limit or what they decide, its end tells: the first way when it
   * went well, else the second. Otherwise nobody knows which; all choices of one key are the same.
   */
  | {
      readonly op: 'choice';
      readonly key: string;
      readonly isDecided: boolean;
      readonly ways: readonly Way[];
      readonly at: Condition;
    }
  /** As often as nobody can tell. */
  | {
      readonly op: 'repeat';
      readonly key: string;
      readonly body: readonly Op[];
      readonly atLeast: number;
      readonly isEndless: boolean;
      readonly at: Place;
    }
  | { readonly op: 'spawn'; readonly body: readonly Op[]; readonly job: string }
  /** `wait`: for one background process, or for all. */
  | { readonly op: 'join'; readonly job: string | null }
  | { readonly op: 'kill'; readonly job: string | null }
  /** As long as `key` was decided so: `until timeout 5 lava-wait x; do`. */
  | {
      readonly op: 'while';
      readonly condition: readonly Op[];
      readonly key: string;
      readonly goesOn: boolean;
      readonly body: readonly Op[];
      readonly at: Place;
    }
  | {
      readonly op: 'limit';
      readonly key: string;
      readonly seconds: number | null;
      readonly body: readonly Op[];
      /** Where a limit which ran out leads (`set -e`). */
      readonly leaves: Exit | null;
      /** Whether nothing asks how it ended, or nothing but a word is said of it. */
      readonly isSwallowed: boolean;
      readonly at: Place & { readonly text: string };
    }
  /** A `leave` inside of it leads behind it. `end`: which of its exits its own end is. */
  | {
      readonly op: 'block';
      readonly block: number;
      readonly end: number;
      readonly body: readonly Op[];
    }
  | ({ readonly op: 'leave' } & Exit)
  /** What was decided before decides `key`. */
  | { readonly op: 'derive'; readonly key: string; readonly tree: Tree }
  /** Whether the cache file has a line: `grep ^ip= /tmp/lava_multi_node_cache.txt`. */
  | { readonly op: 'read'; readonly key: string; readonly seek: Seek; readonly read: number }
  /** What is asked for under `set -e`, or needed: where it fails, it leads out. */
  | {
      readonly op: 'check';
      readonly key: string;
      readonly what: FaultKind;
      readonly leaves: Exit;
      readonly at: Place & { readonly text: string };
    }
  /** A loop that ends when something is so of which nobody knows when it is, or whether. */
  | { readonly op: 'poll'; readonly key: string; readonly at: Place & { readonly text: string } }
  /** `lava-test-raise`: the member ends here. */
  | { readonly op: 'raise' };

/** Out of a block, by which of its exits: each has a number. */
export interface Exit {
  readonly block: number;
  readonly exit: number;
  /** It ends a script as failed. */
  readonly isFailure?: true;
}

/** What may go wrong on a board, and how that shows. */
export type FaultKind = 'exit' | 'check' | 'poll' | 'limit' | 'refused';

/** What is looked for in the cache file: a line that fits, or any line at all. */
export interface Seek {
  /** A regular expression; absent: any line. */
  readonly expression?: string;
  /** Parts of which nobody can tell whether a line has them. */
  readonly isOpen: boolean;
  /** Behind its `=` something has to stand. */
  readonly needsValue: boolean;
}

/** Whether something holds, by the ways that were taken. */
export type Tree = boolean | { readonly key: string; readonly ways: readonly Tree[] };

/** A word that is one on one way, and another on another. */
export interface Cases {
  readonly key: string;
  readonly ways: readonly Pattern[];
}

export interface Way {
  readonly body: readonly Op[];
  /** It ends the script as failed (`|| exit 1`): nobody wrote it to be taken. */
  readonly isFailure: boolean;
}

export interface Call {
  readonly key: string;
  /** Which site. */
  readonly order: number;
  readonly verb: CallVerb;
  readonly words: readonly Pattern[];
  /** Where its failure leads (`set -e`). */
  readonly leaves: Exit | null;
  /** A send with a value of which nobody knows how long it is, and whose refusal is hidden. */
  readonly doubt?: Place & { readonly text: string };
}

/** A command that fails whatever happens, and ends its script under `set -e`. */
export interface Death extends Place {
  readonly text: string;
  /** How it comes that it fails. */
  readonly why: 'false-test' | 'last-of-a-list' | 'no-such-file' | 'exit' | 'other';
}

/** What a role's scripts are read with. */
export interface GraphContext {
  readonly role: string;
  /** All roles of the job with their counts, in the job's order. */
  readonly roles: readonly {
    readonly role: string;
    readonly count: number;
    /** The board, where the job names one. */
    readonly device?: string;
  }[];
  /** Which of its role's members, from 0; absent: any. Its name is then `$(lava-self)` in patterns. */
  readonly member?: number;
  /** Exported by the job: over the definition's own. */
  readonly parameters: readonly (readonly [string, string])[];
  /** Whether a command that fails for certain ends a script under `set -e`, as it does, or not: absent: it does. */
  readonly errors?: 'die' | 'go-on';
}

/** A text file of a checkout by its path from there; `undefined`: it is not there; `null`: it is no text. */
export type ReadFile = (path: string) => string | null | undefined;

export type Entry = Origin &
  (
    | {
        readonly kind: 'definition';
        readonly file: string;
        readonly text: string;
        /** Of this definition alone, over those of the job. */
        readonly parameters?: readonly (readonly [string, string])[];
      }
    | {
        readonly kind: 'script';
        readonly file: string;
        readonly text: string;
        readonly errexit?: boolean;
      }
    /** Lines of `lava_command_run`, each a shell of its own, with their places in the job's document. */
    | {
        readonly kind: 'commands';
        readonly file: string;
        readonly commands: readonly {
          readonly text: string;
          readonly line: number;
          readonly column: number;
        }[];
      }
  );

/** Where an entry and the files around it come from. */
export interface Origin {
  /** The files of its checkout; absent: those that were handed in for all. */
  readonly readFile?: ReadFile;
  /** Put before the paths of its checkout where they are named. */
  readonly prefix?: string;
  /** Why it could not be had: then it is not known what it calls. */
  readonly missing?: string;
}
