/**
 * What answers people who sign in and press buttons, without a server: requests
 * go in, and what root's unit would find comes out.
 *
 * @module
 */
import { pbkdf2Sync, randomBytes } from "node:crypto";
import { loadLocalConfig } from "../../lib/config/config.ts";
import { readRequests } from "../../lib/serve/actions_read.ts";
import type { ButtonKind } from "../../lib/config/serve_kinds.ts";
import {
  kinds,
  type Request as Asked,
} from "../../lib/serve/actions_request.ts";
import { type Auth, makeAuth } from "../../lib/serve/auth.ts";
import { Bodies } from "../../lib/serve/body.ts";
import { makeAnswer } from "../../lib/serve/server.ts";

/** Where people open the page. */
export const origin = "https://web-1.example.org";

/** The password of everybody in {@linkcode passwordLine}. */
export const password = "correct horse battery";

/** A line for the file of passwords, made by another library than ours. */
export function passwordLine(name: string, rounds = 100_000): string {
  const salt = randomBytes(16);
  const hash = pbkdf2Sync(password, salt, rounds, 32, "sha256");
  const text = (bytes: Uint8Array) =>
    btoa(String.fromCharCode(...bytes)).replace(/=+$/, "");
  return `${name}:$pbkdf2-sha256$i=${rounds}$${text(salt)}$${text(hash)}`;
}

/** Headers of a form that our own page sends. */
export const ownForm: Readonly<Record<string, string>> = {
  "content-type": "application/x-www-form-urlencoded",
  "origin": origin,
  "sec-fetch-site": "same-origin",
};

/** A place where people sign in, and press. */
export class Desk implements AsyncDisposable {
  readonly told: string[] = [];
  /** Milliseconds of both clocks. */
  time = Date.now();
  readonly #answer: (request: Request) => Promise<Response>;

  private constructor(readonly folder: string, readonly auth: Auth) {
    this.#answer = makeAnswer(auth.routes);
  }

  /** @param settings More lines of the configuration, below `serve.auth`. */
  static async make(
    settings: Readonly<Record<string, unknown>> = {},
  ): Promise<Desk> {
    const folder = await Deno.makeTempDir();
    const file = `${folder}/passwords`;
    await Deno.writeTextFile(
      file,
      `# people\n${passwordLine("ada")}\n${passwordLine("grace")}\n`,
    );
    const isByHeader = "header" in settings;
    const config = `${folder}/config.yaml`;
    await Deno.writeTextFile(
      config,
      JSON.stringify({
        repository: "https://git.example.org/me/infra.git",
        serve: {
          wanted: `${folder}/wanted`,
          auth: {
            origin,
            ...isByHeader ? {} : { passwordFile: file },
            ...settings,
          },
        },
      }),
    );
    const around = {
      bodies: new Bodies(),
      monotonic: () => desk.time,
      now: () => new Date(desk.time),
      effects: {
        tell: (event: unknown) => desk.told.push(JSON.stringify(event)),
      },
    };
    let desk = {} as Desk;
    Object.assign(desk, { time: Date.now(), told: [] });
    const loaded = await loadLocalConfig(config, []);
    const auth = await makeAuth(loaded, around);
    desk = new Desk(folder, auth!);
    return desk;
  }

  answer(request: Request): Promise<Response> {
    return this.#answer(request);
  }

  /** Sends a form, as our own page does unless told otherwise. */
  async post(
    path: string,
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    return await this.answer(
      new Request(`http://127.0.0.1:9480${path}`, {
        method: "POST",
        headers: { ...ownForm, ...headers },
        body: new URLSearchParams(fields).toString(),
      }),
    );
  }

  /** Signs somebody in; gives the cookie that the browser then sends. */
  async signIn(name = "ada"): Promise<string> {
    const answer = await this.post("/login", { name, password });
    await answer.body?.cancel();
    const cookie = answer.headers.get("set-cookie");
    if (!cookie) throw new Error(`${name} is not let in: ${answer.status}`);
    return cookie.split(";")[0]!;
  }

  /** The token that the page has for whoever sends these headers. */
  async tokenOf(headers: Readonly<Record<string, string>>): Promise<string> {
    const page = new Request("http://127.0.0.1:9480/", { headers });
    return (await this.auth.sessionOf(page))?.csrf ?? "";
  }

  /** What root's units find; it is gone then, as it is when they take it. */
  async asked(): Promise<(Asked | string)[]> {
    const all: (Asked | string)[] = [];
    for (const kind of Object.keys(kinds) as ButtonKind[]) {
      const folder = `${this.folder}/${kind}`;
      const rules = { kind, owner: Deno.uid()!, now: new Date(this.time) };
      for await (const found of readRequests(folder, rules)) {
        all.push("request" in found ? found.request : found.refused);
      }
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    }
    return all;
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.folder, { recursive: true });
  }
}
