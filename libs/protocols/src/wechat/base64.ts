/**
 * Decodes base64 and refuses every other spelling of the same bytes. Node's decoder skips unknown characters and
 * ignores the unused bits of the last one, so that a signature could be altered without being noticed.
 * @returns undefined when the text is not the canonical base64 of anything
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
