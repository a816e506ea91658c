/** The colours of the page for a canvas: read from its style sheet, light or dark. */
import type { Colours } from './picture.ts';

export function coloursOf(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: of('ink'),
    soft: of('soft'),
    faint: of('faint'),
    line: of('line'),
    ground: of('ground'),
    stripe: of('stripe'),
    accent: of('accent'),
    good: of('good'),
    bad: of('bad'),
    warn: of('warn'),
    wait: of('wait'),
    sync: of('sync'),
    phases: {
      held: of('held'),
      deploy: of('deploy'),
      boot: of('boot'),
      run: of('run'),
      'hand-in': of('hand-in'),
      over: of('ground'),
    },
  };
}
