/**
 * Reads the bodies of requests, with limits on size, time and memory. The
 * sender may be unknown.
 *
 * @module
 */

/** GitHub sends at most 25 MB (its documentation, "Webhook events"). */
export const longestBody = 25_000_000;

/** The limit of all bodies that are read at the same time, in bytes. */
const mostAtOnce = 64_000_000;

/** How long a body may take to arrive, in milliseconds. */
const longestWait = 10_000;

/** Why a body was not read, with the HTTP status. */
export class BodyRefusal extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** Reads bodies. Each one reserves memory until it is released. */
export class Bodies {
  #held = 0;

  /**
   * Reads a body, passes it to `use`, and releases it.
   *
   * @param most Its limit in bytes.
   * @throws {BodyRefusal} 413 if it is too long, 408 if it takes too long, 503
   * if other bodies use the memory.
   */
  async with<T>(
    request: Request,
    use: (body: Uint8Array<ArrayBuffer>) => Promise<T>,
    most = longestBody,
  ): Promise<T> {
    let held = 0;
    const hold = (bytes: number) => {
      if (held + bytes > most) {
        throw new BodyRefusal(413, `expected at most ${most} bytes`);
      }
      if (this.#held + bytes > mostAtOnce) {
        throw new BodyRefusal(503, "too many requests: try again later");
      }
      held += bytes;
      this.#held += bytes;
    };
    try {
      const { headers } = request;
      if (Number(headers.get("content-length") ?? 0) > most) {
        await request.body?.cancel();
        throw new BodyRefusal(413, `expected at most ${most} bytes`);
      }
      return await use(await inTime(request, hold));
    } finally {
      this.#held -= held;
    }
  }
}

async function inTime(
  { body }: Request,
  hold: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!body) return new Uint8Array();
  const reader = body.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new BodyRefusal(408, "the body took too long to arrive")),
      longestWait,
    );
  });
  try {
    return await Promise.race([whole(reader, hold), late]);
  } catch (error) {
    reader.cancel().catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function whole(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  hold: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  while (true) {
    const { done, value } = await reader.read();
    if (done) break;
    hold(value.length);
    chunks.push(value);
  }
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

/** Reports whether a client disconnected, which is no fault of the server. */
export function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.Http ||
    error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.BadResource ||
    (error instanceof TypeError && /body|connection/i.test(error.message));
}
