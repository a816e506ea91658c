/** QEMU boards under the one contract: a real kernel on a real serial console. */
import { networkOf } from '../../dispatcher/drivers/bridge.ts';
import { openQemuDriver } from '../../dispatcher/drivers/qemu/qemu.ts';
import { describeDriver } from './driver-contract.ts';
import { qemuSkipped } from './qemu-parts.ts';

if ((await qemuSkipped()) === undefined)
  describeDriver('a QEMU board', 'qemu', {
    open: (context) => openQemuDriver(context, { network: networkOf({}) }),
  });
