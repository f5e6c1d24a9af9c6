/**
 * Sign-in with a name and a password, and sign-out.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import type { Attempts } from "./attempts.ts";
import type { Bodies } from "./body.ts";
import { readForm, requireOrigin } from "./form.ts";
import { type Html, html } from "./html.ts";
import { type Hashed, isPassword, nobody, passwordLength } from "./password.ts";
import { answerForm, requireToken } from "./form_answer.ts";
import { mayPress, type Sessions } from "./session.ts";
import type { AuthConfig } from "./session.ts";
import { smallPage } from "./small_page.ts";

/** The dependencies of the sign-in. */
export interface Login {
  config: AuthConfig;
  origin: string;
  /** Read again for each attempt, so a new password needs no restart. */
  people: () => Promise<readonly Hashed[]>;
  sessions: Sessions;
  attempts: Attempts;
  bodies: Bodies;
  effects: Pick<Effects, "tell">;
}

/** Answers requests for the sign-in page. Never throws. */
export async function answerLogin(
  login: Login,
  request: Request,
): Promise<Response> {
  if (request.method === "GET" || request.method === "HEAD") {
    await request.body?.cancel();
    return await loginPage(200);
  }
  return await answerForm(login.effects, request, () => signIn(login, request));
}

/** Answers requests to sign out. Never throws. */
export async function answerLogout(
  { origin, sessions, bodies, effects }: Login,
  request: Request,
): Promise<Response> {
  return await answerForm(effects, request, async () => {
    requireOrigin(origin, request);
    const session = await sessions.of(request);
    const { csrf } = await readForm(bodies, request, ["csrf"]);
    if (session) await requireToken(session, csrf);
    return seeOther(await sessions.end(request));
  });
}

async function signIn(login: Login, request: Request): Promise<Response> {
  requireOrigin(login.origin, request);
  const { name = "", password = "" } = await readForm(
    login.bodies,
    request,
    ["name", "password"],
  );
  const seconds = login.attempts.take();
  if (seconds !== undefined) {
    return await loginPage(429, "Too many attempts: try again later.", {
      "retry-after": String(seconds),
    });
  }
  if (!await isRight(login, name, password)) {
    say(login.effects, "warning", "Refused a sign-in", [
      "check the name, the password and serve.auth.users; for a new password, gitops-sync serve --hash-password NAME makes a line for serve.auth.passwordFile",
    ]);
    return await loginPage(401, "The name or the password is wrong.");
  }
  login.attempts.giveBack();
  say(login.effects, "info", `${name} signed in`);
  // End the previous session.
  await login.sessions.end(request);
  return seeOther(await login.sessions.begin(name));
}

/**
 * Passwords are checked one at a time, so guessing uses at most one processor.
 */
let last: Promise<unknown> = Promise.resolve();

/** Checks a password. If the file can't be read, nobody gets in. */
async function isRight(
  { config, people, effects }: Login,
  name: string,
  password: string,
): Promise<boolean> {
  const known = await people().catch((error) => {
    say(effects, "error", (error as Error).message);
    return [];
  });
  const person = known.find((one) => one.name === name);
  // Takes as long as for a known person.
  const stranger = { ...nobody, rounds: known[0]?.rounds ?? nobody.rounds };
  const isShort = password.length <= passwordLength.most;
  const compared = last.then(() =>
    isPassword(person ?? stranger, isShort ? password : "")
  );
  last = compared.catch(() => {});
  return await compared && person !== undefined && isShort &&
    mayPress(config, name);
}

function seeOther(cookie: string): Response {
  return new Response(null, {
    status: 303,
    headers: {
      location: "/",
      "set-cookie": cookie,
      "cache-control": "no-store",
    },
  });
}

async function loginPage(
  status: number,
  problem?: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return await smallPage(status, "Sign in", loginForm(problem), headers);
}

function loginForm(problem: string | undefined): Html {
  return html`
    ${problem !== undefined && html`<p role="alert">${problem}</p>`}
    <form method="post" action="/login">
      <label for="name">Name</label>
      <input id="name" name="name" autocomplete="username" autocapitalize="none"
        required>
      <label for="password">Password</label>
      <input id="password" name="password" type="password"
        autocomplete="current-password" required>
      <button>Sign in</button>
    </form>
  `;
}
