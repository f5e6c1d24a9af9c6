/**
 * A real server of Vault's interface, OpenBao, on a loopback port of its own.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { output, type Program, start } from "../world/program.ts";

/** The token that may do everything. */
const rootToken = "root-of-the-test";

/** The policy of a host: decrypt calls, and what every token may. */
const hostPolicy = `
path "sops/decrypt/*" { capabilities = ["update"] }
`;

/** A login by AppRole. */
export interface Role {
  roleId: string;
  secretId: string;
}

/** What a role's tokens are like. */
export interface RoleSettings {
  token_ttl?: string;
  token_max_ttl?: string;
  secret_id_num_uses?: number;
  token_no_default_policy?: boolean;
}

/** A server in memory; what it holds goes when it is disposed of. */
export class Bao implements AsyncDisposable {
  #program: Program;

  private constructor(
    readonly folder: string,
    readonly address: string,
    /** The certificate that it is trusted by, with TLS. */
    readonly caFile: string | undefined,
    readonly argv: readonly string[],
  ) {
    this.#program = this.#start();
  }

  /** The token that may do everything. */
  readonly token = rootToken;

  /** Starts a server with a transit engine, AppRole and one policy. */
  static async start({ tls = false, prepared = true } = {}): Promise<Bao> {
    const folder = await Deno.makeTempDir({ prefix: "gitops-sync-bao-" });
    const port = freePort();
    const server = new Bao(
      folder,
      `${tls ? "https" : "http"}://127.0.0.1:${port}`,
      tls ? `${folder}/vault-ca.pem` : undefined,
      [
        ...["server", "-dev", "-dev-no-store-token"],
        `-dev-root-token-id=${rootToken}`,
        `-dev-listen-address=127.0.0.1:${port}`,
        ...(tls ? ["-dev-tls", `-dev-tls-cert-dir=${folder}`] : []),
      ],
    );
    try {
      await server.#comesUp();
      if (prepared) await server.prepare();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Makes the engine, the login and the policy, in a namespace or none. */
  async prepare(namespace?: string): Promise<void> {
    const ask = (path: string, body: unknown) =>
      this.ask("POST", path, body, namespace);
    await ask("sys/mounts/sops", { type: "transit" });
    await ask("sops/keys/host", {});
    await ask("sys/auth/approle", { type: "approle" });
    await ask("sys/policies/acl/host", { policy: hostPolicy });
  }

  /** Calls the server as root; gives its answer, which must be a good one. */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    namespace?: string,
    token = rootToken,
  ): Promise<Record<string, unknown>> {
    const answer = await this.call(method, path, body, namespace, token);
    const text = await answer.text();
    assertEquals(answer.ok, true, `${method} ${path}: ${text}`);
    return text === "" ? {} : JSON.parse(text);
  }

  /** Calls the server; gives the answer as it comes. */
  async call(
    method: string,
    path: string,
    body?: unknown,
    namespace?: string,
    token = rootToken,
  ): Promise<Response> {
    using client = Deno.createHttpClient(
      this.caFile ? { caCerts: [Deno.readTextFileSync(this.caFile)] } : {},
    );
    const answer = await fetch(`${this.address}/v1/${path}`, {
      method,
      client,
      headers: {
        "X-Vault-Token": token,
        ...(namespace ? { "X-Vault-Namespace": namespace } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return new Response(await answer.text() || null, answer);
  }

  /** Makes a role and a secret id for it. */
  async makeRole(
    settings: RoleSettings = {},
    namespace?: string,
  ): Promise<Role> {
    const ask = (method: string, path: string, body?: unknown) =>
      this.ask(method, `auth/approle/role/host${path}`, body, namespace);
    await ask("POST", "", { token_policies: ["host"], ...settings });
    const role = await ask("GET", "/role-id");
    const secret = await ask("POST", "/secret-id", {});
    return {
      roleId: (role.data as Record<string, string>).role_id!,
      secretId: (secret.data as Record<string, string>).secret_id!,
    };
  }

  /** Makes a role that was deleted again; gives a new secret id. */
  async remakeRole(roleId: string): Promise<string> {
    const { secretId } = await this.makeRole();
    await this.ask("POST", "auth/approle/role/host/role-id", {
      role_id: roleId,
    });
    return secretId;
  }

  /** A new secret id in a wrapping token. */
  async wrapSecretId(): Promise<string> {
    const answer = await fetch(
      `${this.address}/v1/auth/approle/role/host/secret-id`,
      {
        method: "POST",
        headers: { "X-Vault-Token": rootToken, "X-Vault-Wrap-TTL": "60s" },
        body: "{}",
      },
    );
    const { wrap_info } = await answer.json();
    return wrap_info.token;
  }

  /** A token with the host's policy. */
  async makeToken(settings: Record<string, unknown> = {}): Promise<string> {
    const { auth } = await this.ask("POST", "auth/token/create", {
      policies: ["host"],
      ...settings,
    });
    return (auth as Record<string, string>).client_token!;
  }

  /** How many tokens there are beside the root's. */
  async tokens(namespace?: string): Promise<number> {
    const { data } = await this.ask(
      "LIST",
      "auth/token/accessors",
      undefined,
      namespace,
    );
    const root = namespace ? 0 : 1;
    return (data as { keys: string[] }).keys.length - root;
  }

  /** Encrypts YAML with sops for the transit key. */
  async encrypt(yaml: string, namespace?: string): Promise<string> {
    const file = `${this.folder}/plain-${crypto.randomUUID()}.yaml`;
    await Deno.writeTextFile(file, yaml);
    try {
      return `${await output([
        "sops",
        "encrypt",
        `--hc-vault-transit=${this.address}/v1/sops/keys/host`,
        file,
      ], {
        env: {
          VAULT_TOKEN: rootToken,
          ...(namespace ? { VAULT_NAMESPACE: namespace } : {}),
          ...(this.caFile ? { VAULT_CACERT: this.caFile } : {}),
        },
      })}\n`;
    } finally {
      await Deno.remove(file);
    }
  }

  /** Makes it forget its own key, so that it serves nobody. */
  async seal(): Promise<void> {
    await this.ask("POST", "sys/seal");
  }

  /** Gives it the key again. */
  async unseal(): Promise<void> {
    const log = await Deno.readTextFile(`${this.folder}/log`);
    const key = /^Unseal Key: (\S+)$/m.exec(log)![1]!;
    await this.ask("POST", "sys/unseal", { key });
  }

  /** Ends the server: nobody answers at its address any more. */
  async stop(): Promise<void> {
    this.#program.kill();
    await this.#program.ended;
  }

  /** Ends it and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.folder, { recursive: true });
  }

  #start(): Program {
    const script = 'log=$1; shift; exec bao "$@" >"$log" 2>&1';
    return start(
      ["sh", "-c", script, "sh", `${this.folder}/log`, ...this.argv],
      {
        env: { HOME: this.folder },
      },
    );
  }

  async #comesUp(): Promise<void> {
    const end = Date.now() + 30_000;
    for (;;) {
      try {
        const answer = await this.call("GET", "sys/health");
        if (answer.status === 200) return;
      } catch (error) {
        if (Date.now() > end) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** A port of the loopback address that nobody uses now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
