/** The index beside a console's file, in which its worker writes when the bytes came: `dispatcher/console-times.ts` has its form. */
export const timesFile = (console: string): string => `${console}.times`;
