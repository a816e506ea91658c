/** What of a suite's sources is kept at most, where a test does not care. */
export const SOURCE_LIMITS = { sourceFileBytes: 256 * 1024, sourceBytes: 8 * 1024 ** 2 };
