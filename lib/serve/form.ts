/**
 * Strictly reads forms that a browser sends from our own page.
 *
 * @module
 */
import { type Bodies, BodyRefusal } from "./body.ts";

/** The limit of a form, in bytes: our forms have a few short fields. */
const longestForm = 4096;

/** Why a form was not read, with the HTTP status. */
export class FormRefusal extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/**
 * Refuses a request that did not come from our own page. A browser sends the
 * origin of a form in headers that no page can change (Fetch, 3.2; Fetch
 * Metadata, 2.3).
 *
 * @param origin The origin of our page.
 * @throws {FormRefusal} 405 and 403.
 */
export function requireOrigin(origin: string, request: Request): void {
  const { method, headers } = request;
  if (method !== "POST") throw new FormRefusal(405, "expected POST");
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin") {
    throw new FormRefusal(403, "the form was sent from another page");
  }
  if (headers.get("origin") !== origin) {
    throw new FormRefusal(
      403,
      `the form was not sent from ${origin} (serve.auth.origin)`,
    );
  }
}

/**
 * Reads the fields of a form.
 *
 * @param known The allowed fields. An unknown or repeated field refuses the
 * whole form.
 * @returns the fields that are not empty.
 * @throws {FormRefusal} 400, 408, 413, 415 and 503.
 */
export async function readForm(
  bodies: Bodies,
  request: Request,
  known: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/x-www-form-urlencoded(?:;|$)/i.test(type)) {
    throw new FormRefusal(415, "expected a form");
  }
  try {
    return await bodies.with(
      request,
      (body) => Promise.resolve(fieldsOf(body, known)),
      longestForm,
    );
  } catch (error) {
    if (!(error instanceof BodyRefusal)) throw error;
    throw new FormRefusal(error.status, error.message);
  }
}

function fieldsOf(
  body: Uint8Array<ArrayBuffer>,
  known: readonly string[],
): Record<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(textOf(body))) {
    if (!known.includes(name) || fields.has(name)) {
      throw new FormRefusal(400, "the form has an unknown or a repeated field");
    }
    // deno-lint-ignore no-control-regex
    if (/[\u0000-\u001f\u007f-\u009f\ufffd]/.test(value)) {
      throw new FormRefusal(400, "a field contains a control character");
    }
    fields.set(name, value);
  }
  return Object.fromEntries([...fields].filter(([, value]) => value !== ""));
}

function textOf(body: Uint8Array<ArrayBuffer>): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(body);
  } catch {
    throw new FormRefusal(400, "expected UTF-8");
  }
}
