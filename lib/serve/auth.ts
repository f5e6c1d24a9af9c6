/**
 * Sets up sign-in and buttons from the configuration.
 *
 * @module
 */
import { type Effects } from "../base/effects.ts";
import { usageError } from "../base/errors.ts";
import type { LocalConfig } from "../config/config.ts";
import { hasButtons } from "../config/serve_kinds.ts";
import { answerPress } from "./actions.ts";
import { pressPath } from "./actions_forms.ts";
import { Attempts } from "./attempts.ts";
import type { Bodies } from "./body.ts";
import { answerLogin, answerLogout } from "./login.ts";
import { readPasswords } from "./password.ts";
import type { Route } from "./server.ts";
import { type SessionOf, Sessions, sessionsOfHeader } from "./session.ts";

/** The sign-in, and the routes that it needs. */
export interface Auth {
  sessionOf: SessionOf;
  /** Whether people sign in here, and not at a proxy. */
  hasLogin: boolean;
  routes: readonly Route[];
}

/** The dependencies of the sign-in. */
export interface AuthContext {
  bodies: Bodies;
  /** A clock in milliseconds that never jumps. */
  monotonic: () => number;
  now: () => Date;
  effects: Pick<Effects, "tell">;
}

/**
 * Makes the routes for sign-in and buttons.
 *
 * @returns `undefined` if buttons are off.
 * @throws {SyncError} `auth-both`, `auth-origin`, `auth-open` or
 * `password-file`, exit 2.
 */
export async function makeAuth(
  config: LocalConfig,
  around: AuthContext,
): Promise<Auth | undefined> {
  if (!hasButtons(config)) return undefined;
  const {
    "serve.auth.passwordFile": file,
    "serve.auth.header": header,
    "serve.auth.origin": origin,
  } = config;
  if (file !== undefined && header !== undefined) throw both();
  if (origin === undefined) throw withoutOrigin();
  const pressing = (sessionOf: SessionOf): Route => ({
    path: pressPath,
    answer: (request) =>
      answerPress({
        origin,
        sessionOf,
        hasLogin: file !== undefined,
        wanted: config["serve.wanted"],
        ...around,
      }, request),
  });
  if (header !== undefined) {
    if (!isOwn(config["serve.listen"])) throw open(config["serve.listen"]);
    const sessionOf = sessionsOfHeader(config, header, around.monotonic);
    return { sessionOf, hasLogin: false, routes: [pressing(sessionOf)] };
  }
  const sessions = new Sessions(config, around.monotonic);
  const sessionOf: SessionOf = (request) => sessions.of(request);
  // Report a mistake at the start, not at the first sign-in.
  await readPasswords(file!);
  const login = {
    config,
    origin,
    people: () => readPasswords(file!),
    sessions,
    attempts: new Attempts(around.monotonic),
    ...around,
  };
  return {
    sessionOf,
    hasLogin: true,
    routes: [
      pressing(sessionOf),
      { path: "/login", answer: (request) => answerLogin(login, request) },
      { path: "/logout", answer: (request) => answerLogout(login, request) },
    ],
  };
}

/** Reports whether only programs of this machine can connect to an address. */
function isOwn(place: string): boolean {
  return /^(?:unix:|localhost:|127\.\d+\.\d+\.\d+:|\[::1\]:)/.test(place);
}

function both(): Error {
  return usageError(
    "auth-both",
    "Cannot use serve.auth.passwordFile and serve.auth.header together: people sign in either here or at the proxy",
    "remove one of the two options",
  );
}

function withoutOrigin(): Error {
  return usageError(
    "auth-origin",
    "Cannot enable buttons without serve.auth.origin: any web page could press them",
    "set it to the address of the status page: --serve-auth-origin https://HOST",
  );
}

function open(place: string): Error {
  return usageError(
    "auth-open",
    `Cannot trust serve.auth.header on ${place}: anybody who can connect could send that header`,
    "listen on a Unix socket or on 127.0.0.1, and let the proxy connect there",
  );
}
