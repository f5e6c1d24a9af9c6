/**
 * `gitops-sync vault-agent`: holds this host's login to Vault, so that no other
 * program needs a token.
 *
 * @module
 */
import { say } from "../../base/effects.ts";
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { guide } from "../../base/guide.ts";
import type { LocalConfig } from "../../config/config.ts";
import { prepareSocket, removeSocket } from "../../host/socket.ts";
import { run as runProgram } from "../../process/run_command.ts";
import { serverOf } from "../../vault/configured.ts";
import { VaultGate } from "../../vault/gate.ts";
import { type Credentials, VaultSession } from "../../vault/session.ts";
import { localConfigOf } from "../config.ts";
import type { Call } from "../call.ts";
import { Interruption } from "../output/interruption.ts";
import { makeTeller } from "../output/teller.ts";

/** Runs the command until a signal ends it. */
export async function run(call: Call): Promise<ExitCode> {
  const config = await localConfigOf(call);
  const server = await serverOf(config);
  using interruption = new Interruption();
  const { tell } = makeTeller(call.verbose);
  const effects = {
    monotonic: () => performance.now(),
    sleep: (ms: number) => interruption.pause(ms),
    tell,
  };
  const session = new VaultSession(server, credentialsOf(config), effects);
  const gate = new VaultGate(
    session,
    config["vault.engines"],
    config["timeouts.vault"],
    effects,
  );
  const socket = config["vault.socket"];
  const listener = await listen(socket, (request) => gate.answer(request));
  say(effects, "info", `Listening on ${socket} for ${server.address}`);
  // It starts even if the login fails: each call tries again and reports the
  // error.
  await session.token().catch((error) =>
    say(effects, "error", error.message, error.hints)
  );
  await tellReady();
  await session.keep(interruption.signal);
  await listener.shutdown();
  await removeSocket(socket);
  await session.end().catch((error) =>
    say(effects, "warning", (error as Error).message)
  );
  say(effects, "info", "Stopped");
  return exitCodes.ok;
}

/** Returns the configured way to log in. */
function credentialsOf(config: LocalConfig): Credentials {
  const tokenFile = config["vault.tokenFile"];
  const roleId = config["vault.appRole.roleId"];
  const roleIdFile = config["vault.appRole.roleIdFile"];
  const secretIdFile = config["vault.appRole.secretIdFile"];
  const isAppRole = roleId ?? roleIdFile ?? secretIdFile;
  if (tokenFile !== undefined && isAppRole === undefined) {
    return { kind: "token", tokenFile };
  }
  const role = roleId ?? (roleIdFile && { file: roleIdFile });
  const isClear = tokenFile === undefined && !(roleId && roleIdFile);
  if (isClear && role && secretIdFile !== undefined) {
    return {
      kind: "appRole",
      mount: config["vault.appRole.mount"],
      roleId: role,
      secretIdFile,
      wrapped: config["vault.appRole.wrapped"],
    };
  }
  throw usageError(
    "vault-login",
    "Cannot log in to Vault: expected either vault.tokenFile, or vault.appRole.secretIdFile with one of vault.appRole.roleId and vault.appRole.roleIdFile",
    `See ${guide("secrets.md")}`,
  );
}

async function listen(
  path: string,
  answer: (request: Request) => Promise<Response>,
): Promise<Deno.HttpServer<Deno.UnixAddr>> {
  await prepareSocket(path, { option: "vault.socket", mode: 0o700 });
  // The folder of the socket is already private, whatever mode the socket gets.
  const server = Deno.serve(
    { transport: "unix", path, onListen() {} },
    answer,
  );
  await Deno.chmod(path, 0o600);
  return server;
}

/**
 * Tells systemd that the socket is ready (sd_notify(3)), if it waits for that.
 */
async function tellReady(): Promise<void> {
  const socket = Deno.env.get("NOTIFY_SOCKET");
  if (socket === undefined) return;
  await runProgram({
    program: "systemd-notify",
    args: ["--ready"],
    env: { NOTIFY_SOCKET: socket },
    timeout: 10_000,
  });
}
