/** Boards on a line under the one contract: a shell on a real terminal, which is all that hardware is for Muster. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openConsoleDriver } from '../../dispatcher/drivers/console/console.ts';
import { settingsOf } from '../../submission/lab-drivers.ts';
import { describeDriver } from './driver-contract.ts';

describeDriver('a board on a serial line', 'console', {
  open: openConsoleDriver,
  settings: (device, folder) => {
    const home = join(folder, device);
    mkdirSync(home, { recursive: true });
    return settingsOf({
      console: { connect: 'PS1="$ " exec sh -i', power_on: 'true', power_off: 'true' },
      login: { home },
    });
  },
});
