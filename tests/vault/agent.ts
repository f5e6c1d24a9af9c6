/**
 * The socket service, run as systemd would, and calls to it.
 *
 * @module
 */
import { gitopsSync } from "../world/gitops_sync.ts";
import { type Ended, type Program, run, start } from "../world/program.ts";
import type { Settings } from "../world/host.ts";
import type { Bao, Role } from "./bao.ts";

/** An agent in a folder of its own. */
export class Agent implements AsyncDisposable {
  #program: Program;

  private constructor(readonly folder: string) {
    this.#program = start([
      ...gitopsSync,
      "vault-agent",
      "--verbose",
      `--config=${folder}/config.yaml`,
    ]);
  }

  /** Starts one with this configuration, and waits until it is ready. */
  static async start(bao: Bao, settings: Settings): Promise<Agent> {
    const agent = await Agent.begin(bao, settings);
    const end = Date.now() + 20_000;
    while (!await listens(agent.socket)) {
      if (Date.now() > end) throw new Error("the agent does not listen");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return agent;
  }

  /** Starts one that may end by itself. */
  static async begin(bao: Bao, settings: Settings): Promise<Agent> {
    const folder = await Deno.makeTempDir({ prefix: "gitops-sync-agent-" });
    const { "vault.socket": socket = `${folder}/run/agent.sock` } = settings;
    const all = tree({
      "vault.address": bao.address,
      "vault.socket": socket,
      ...settings,
    });
    await Deno.writeTextFile(`${folder}/config.yaml`, JSON.stringify(all));
    return new Agent(folder);
  }

  /** The settings that log in with a role. */
  static withRole(folder: string, { roleId, secretId }: Role): Settings {
    Deno.writeTextFileSync(`${folder}/secret-id`, `${secretId}\n`);
    return {
      "vault.appRole.roleId": roleId,
      "vault.appRole.secretIdFile": `${folder}/secret-id`,
    };
  }

  get socket(): string {
    return `${this.folder}/run/agent.sock`;
  }

  get pid(): number {
    return this.#program.pid;
  }

  get ended(): Promise<Ended> {
    return this.#program.ended;
  }

  /** Calls the agent as sops would. */
  async call(path: string, init: RequestInit = {}): Promise<Response> {
    using client = Deno.createHttpClient({
      proxy: { transport: "unix", path: this.socket },
    });
    const answer = await fetch(`http://localhost${path}`, { ...init, client });
    return new Response(await answer.text(), answer);
  }

  /** Decrypts with a real sops, which has no token and no home. */
  async decrypt(file: string, sops = "sops"): Promise<Ended> {
    const ended = await run([
      "env",
      "-i",
      `PATH=${Deno.env.get("PATH")}`,
      "HOME=/var/empty",
      "SOPS_DISABLE_VERSION_CHECK=1",
      `VAULT_AGENT_ADDR=unix://${this.socket}`,
      sops,
      "decrypt",
      "--input-type=yaml",
      "--output-type=yaml",
      "/dev/stdin",
    ], { input: file });
    // sops folds what it tells.
    return { ...ended, stderr: ended.stderr.replace(/\n\s*\| /g, " ") };
  }

  /** Ends it as systemd does; gives how it ended and what it told. */
  async stop(): Promise<Ended> {
    this.#program.signal("SIGTERM");
    return await this.#program.ended;
  }

  /** Ends it and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#program.kill();
    await this.#program.ended;
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** A socket is there a moment before anybody listens to it. */
async function listens(path: string): Promise<boolean> {
  try {
    using _ = await Deno.connect({ transport: "unix", path });
    return true;
  } catch {
    return false;
  }
}

/** Settings by their dotted names, as the file nests them. */
function tree(settings: Settings): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(settings)) {
    const path = name.split(".");
    const last = path.pop()!;
    let at = all;
    for (const part of path) at = (at[part] ??= {}) as Record<string, unknown>;
    at[last] = value;
  }
  return all;
}
