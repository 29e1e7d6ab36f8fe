/** Cuts a stream of bytes into whole protocol messages; keeps what is not whole yet. */
export type Framer = (chunk: Buffer) => readonly Buffer[];

function framer(lengthOf: (bytes: Buffer) => number | undefined): Framer {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const frames: Buffer[] = [];
    for (;;) {
      const length = lengthOf(rest);
      if (length === undefined || rest.length < length) return frames;
      frames.push(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  };
}

/** What PostgreSQL says: a letter, then the length of all that follows. */
export const postgresFrames = (): Framer => framer((bytes) => (bytes.length < 5 ? undefined : 1 + bytes.readInt32BE(1)));

const payloadOps = new Set(['PUB', 'HPUB', 'MSG', 'HMSG']);
/** What is said on a NATS connection: a line, and after some of them as many bytes as the line's last word says. */
export const natsFrames = (): Framer =>
  framer((bytes) => {
    const end = bytes.indexOf('\r\n');
    if (end < 0) return undefined;
    const words = bytes.toString('latin1', 0, end).split(/\s+/);
    if (!payloadOps.has(words[0]!.toUpperCase())) return end + 2;
    return end + 2 + Number(words.at(-1)) + 2;
  });

/** CommandComplete of a COMMIT: the server has committed. */
export const tellsCommitted = (frame: Buffer): boolean => frame[0] === 0x43 && frame.toString('latin1', 5) === 'COMMIT\0';

/** A stream's acknowledgement of a message that was published to it. */
export const isPubAck = (frame: Buffer): boolean => {
  const text = frame.toString('latin1');
  return text.startsWith('MSG _INBOX.') && /\r\n\{"stream":"[^}]*"seq":\s*\d+/.test(text);
};

/** A consumer's acknowledgement of a message that it has handled. */
export const isAck = (frame: Buffer): boolean => /^H?PUB \$JS\.ACK\./.test(frame.toString('latin1', 0, 14));
