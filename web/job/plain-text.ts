/** What boards print, as text. */

/** Without what moves a terminal's cursor and sets its colours. */
export const plainText = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
    .replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])/g, '')
    .replace(/\r+\n/g, '\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: shown as what they are, but for newline and tab
    .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '␦');
