/**
 * Health checks other than units: requests, ports, commands, the default route,
 * and the remote.
 *
 * @module
 */
import { SyncError } from "../base/errors.ts";
import { beginningOf, whyOf } from "../base/http.ts";
import { safeLines } from "../base/text.ts";
import { addressOf, type Argv, type HttpCheck } from "../config/checks.ts";
import { askSources } from "../git/sources.ts";
import { defaultRoutes, type Family } from "../host/routes.ts";
import type { Ill } from "../run/deadline.ts";
import { environmentOf, runHostCommand } from "./host_command.ts";
import type { Run } from "../run/run.ts";
import { isRevision } from "../base/names.ts";

/** The timeout of one request or connection, in milliseconds. */
const longestTry = 10_000;

/** The most bytes of an answer that are read. */
const mostBody = 1024 * 1024;

/** Sends a request and checks the answer. */
export async function checkHttp(
  check: HttpCheck,
  ms: number,
): Promise<Ill | undefined> {
  const ill = (text: string, details: string[] = []) => ({
    reason: "http-failed",
    text: `${check.url} ${text}`,
    details: details.map((line) => `${check.url}: ${line}`),
  });
  try {
    using client = Deno.createHttpClient({
      ...check.caFile === undefined
        ? {}
        : { caCerts: [await Deno.readTextFile(check.caFile)] },
    });
    const response = await fetch(check.url, {
      client,
      // A redirect is an answer, too; it is not followed.
      redirect: "manual",
      signal: AbortSignal.timeout(Math.min(ms, longestTry)),
    });
    const body = await beginningOf(response.body, mostBody);
    const wrong = wrongStatus(response.status, check.status);
    if (wrong) return ill(`answered ${wrong}`, safeLines(body).slice(0, 3));
    if (check.body !== undefined && !body.includes(check.body)) {
      const details = safeLines(body).slice(0, 3);
      return ill(`answered, but without "${check.body}"`, details);
    }
    return undefined;
  } catch (error) {
    return ill(`did not answer: ${whyOf(error)}`);
  }
}

function wrongStatus(
  actual: number,
  expected: number | undefined,
): string | undefined {
  if (expected === undefined) {
    return actual >= 200 && actual < 300 ? undefined : `with status ${actual}`;
  }
  return actual === expected
    ? undefined
    : `with status ${actual}, expected ${expected}`;
}

/** Checks that a port accepts connections. */
export async function checkPort(
  address: string,
  ms: number,
): Promise<Ill | undefined> {
  const signal = AbortSignal.timeout(Math.min(ms, longestTry));
  try {
    (await Deno.connect({ ...addressOf(address), signal })).close();
    return undefined;
  } catch (error) {
    const text = `${address} does not accept connections: ${whyOf(error)}`;
    return { reason: "tcp-failed", text, details: [] };
  }
}

/** Checks that a command ends with 0. */
export async function checkCommand(
  run: Run,
  argv: Argv,
  ms: number,
): Promise<Ill | undefined> {
  const failure = await runHostCommand(run, argv, environmentOf(run), ms);
  if (!failure) return undefined;
  return {
    reason: "command-failed",
    text: failure.text,
    details: failure.details.map((line) => `${argv[0]}: ${line}`),
  };
}

/** Checks that the host still has its default routes. */
export async function checkRoute(
  run: Run,
  before: readonly Family[],
): Promise<Ill | undefined> {
  const now = await defaultRoutes(run.effects);
  const lost = before.filter((family) => !now.includes(family));
  if (lost.length === 0) return undefined;
  return {
    reason: "route-lost",
    text: `the default route is missing (${lost.join(", ")})`,
    details: [],
  };
}

/** Reasons that the server itself gives: it was reached, but refuses now. */
const answersItself = [
  "slow-down",
  "maintenance",
  "remote-error",
  "suspended",
  "sso",
];

/**
 * Checks that the remote answers: without it, no next commit can fix the host.
 */
export async function checkRemote(run: Run): Promise<Ill | undefined> {
  if (isRevision(run.config.ref)) return undefined;
  try {
    await askSources(run.effects, run.config, run.state, run.quiet);
    return undefined;
  } catch (error) {
    if (!(error instanceof SyncError) || error.stage !== "decide") throw error;
    if (error.reason === "interrupted") throw error;
    if (answersItself.includes(error.reason)) return undefined;
    return {
      reason: "remote-lost",
      text: "the repository can no longer be reached",
      details: [error.message, ...error.details],
    };
  }
}
