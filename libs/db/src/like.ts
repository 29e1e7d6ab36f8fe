/** The text as a part of a `like` pattern, nothing in it being a wildcard. */
export const literally = (text: string): string => text.replaceAll(/[\\%_]/g, String.raw`\$&`);
