/**
 * The flake of this checkout, with the stand-in for nixpkgs in place of
 * nixpkgs, in a host under test.
 *
 * @module
 */
import { join } from "node:path";
import { madeFolder } from "../world/gitops_sync.ts";
import type { Host } from "../world/host.ts";
import { output } from "../world/program.ts";

const checkout = join(import.meta.dirname!, "..", "..");

/** This machine, as Nix names it. */
export const system = `${Deno.build.arch}-linux`;

/** What a host under test is given. */
export interface Given {
  /**
   * Whether the stand-in has what `deno compile` makes programs of, with the
   * Deno of that version; by default, where the compiled program is tested.
   */
  denort?: boolean;
}

/** The folder of the runtime and its Deno; none where there is none (`./dev`). */
export const denortFolder = Deno.env.get("GITOPS_SYNC_DENORT");

/** Whether `./dev test` is told to test the compiled program. */
const isCompiled = madeFolder?.includes("/compiled-") ?? false;

/** Programs that packages of the stand-in consist of. */
const programs = [
  ...["age", "age-keygen", "cat", "cp", "deno", "find", "git", "gpg"],
  ...["gpgconf", "grep", "head", "journalctl", "kill", "ln", "loginctl", "ls"],
  ...["mkdir"],
  ...["mv", "nix", "nix-env", "nix-instantiate", "nix-store"],
  ...["nixos-rebuild", "readlink", "rm", "sed", "sops", "ssh", "ssh-keygen"],
  ...["stat", "tee"],
  ...["systemctl", "systemd-analyze", "systemd-notify", "systemd-run", "true"],
  ...["logger", "unshare"],
];

/**
 * A copy of the flake in a host, and how Nix is called for it there.
 */
export class Flake {
  private constructor(
    readonly host: Host,
    /** The folder of the flake, inside. */
    readonly folder: string,
    /** The folder of the stand-in, inside. */
    readonly nixpkgs: string,
  ) {}

  /**
   * Copies what Git knows of the checkout.
   *
   * @param outside An empty folder.
   * @param inside The same as the host sees it.
   */
  static async copy(
    host: Host,
    outside: string,
    inside: string,
    { denort = isCompiled }: Given = {},
  ): Promise<Flake> {
    const listed = await output(
      ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
      { cwd: checkout },
    );
    for (const name of listed.split("\n")) {
      if (name.startsWith("tests/")) continue;
      await copy(join(checkout, name), join(outside, "gitops-sync", name));
    }
    const standIn = join(import.meta.dirname!, "nixpkgs");
    await output(["cp", "-r", standIn, join(outside, "nixpkgs")]);
    const sopsNix = join(import.meta.dirname!, "sops-nix");
    await output(["cp", "-r", sopsNix, join(outside, "sops-nix")]);
    const given = denort
      ? { deno: `${denortFolder}/deno`, denort: `${denortFolder}/denort` }
      : madeFolder
      ? { deno: `${madeFolder}/deno` }
      : {};
    const programs = {
      ...await paths(host),
      ...await copyRuntime(given, outside, inside),
    };
    const tools = {
      programs,
      denoDir: await denoDir(host),
      denoVersion: await versionOf(host, programs.deno!),
      denort,
    };
    await Deno.writeTextFile(
      join(outside, "nixpkgs", "tools.json"),
      JSON.stringify(tools),
    );
    return new Flake(host, `${inside}/gitops-sync`, `${inside}/nixpkgs`);
  }

  /** The folder of the stand-in for sops-nix, inside. */
  get sopsNix(): string {
    return this.nixpkgs.replace(/nixpkgs$/, "sops-nix");
  }

  /** The arguments that name one of its outputs for `nix`. */
  at(attribute: string): string[] {
    return [`path:${this.folder}#${attribute}`, ...this.flags];
  }

  /** What puts the stand-in in place of nixpkgs. */
  get flags(): string[] {
    return [
      "--override-input",
      "nixpkgs",
      `path:${this.nixpkgs}`,
      "--no-write-lock-file",
    ];
  }

  /** Builds an output; gives its store path. */
  build(attribute: string): Promise<string> {
    return this.#build(this.at(attribute));
  }

  /**
   * Writes the flake of a user, which has this one and nixpkgs as its inputs,
   * as the README says; builds one of its outputs.
   *
   * @param text All of flake.nix, with GITOPS and NIXPKGS for the two URLs.
   */
  buildOf(text: string, attribute: string): Promise<string> {
    return this.#build(this.#written(text, attribute));
  }

  /** Evaluates an output of such a flake; gives its value. */
  async evaluate(text: string, attribute: string): Promise<unknown> {
    const args = this.#written(text, attribute);
    return JSON.parse(
      await this.host.output(["nix", "eval", "--json", ...args]),
    );
  }

  #written(text: string, attribute: string): string[] {
    const folder = `/run/user-${crypto.randomUUID()}`;
    this.host.write(
      `${folder}/flake.nix`,
      text.replaceAll("GITOPS", `path:${this.folder}`)
        .replaceAll("NIXPKGS", `path:${this.nixpkgs}`)
        .replaceAll("SOPSNIX", this.sopsNix),
    );
    return [`path:${folder}#${attribute}`, "--no-write-lock-file"];
  }

  /** The same for a host with these settings, as Nix text. */
  buildHost(settings: string): Promise<string> {
    return this.buildOf(
      flakeWith(`nixosConfigurations.demo = hostWith { ${settings} };`),
      "nixosConfigurations.demo.config.system.build.toplevel",
    );
  }

  async #build(args: readonly string[]): Promise<string> {
    const link = `/run/result-${crypto.randomUUID()}`;
    await this.host.output(["nix", "build", ...args, "--out-link", link]);
    return await this.host.output(["readlink", "-f", link]);
  }
}

/**
 * A user's flake with these outputs. `hostWith MODULE` is a host that imports
 * the module of this flake, and the stand-in for sops-nix.
 */
export function flakeWith(outputs: string): string {
  return `{
    inputs.nixpkgs.url = "NIXPKGS";
    inputs.gitops.url = "GITOPS";
    inputs.gitops.inputs.nixpkgs.follows = "nixpkgs";
    inputs.sops-nix.url = "path:SOPSNIX";
    outputs = { nixpkgs, gitops, sops-nix, ... }:
      let
        inherit (nixpkgs) lib;
        hostWith = module: lib.nixosSystem {
          system = "${system}";
          modules = [
            gitops.nixosModules.gitops
            sops-nix.nixosModules.sops
            module
          ];
        };
      in
      {
        ${outputs}
      };
  }`;
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(join(to, ".."), { recursive: true });
  await Deno.copyFile(from, to);
}

/** Where the programs are, in the host. */
async function paths(host: Host): Promise<Record<string, string>> {
  const found = await host.output([
    "bash",
    "-c",
    // Files alone: the shell has a kill of its own.
    'for name; do readlink -f "$(type -P "$name")" || exit 1; done',
    "bash",
    ...programs,
  ]);
  const list = found.split("\n");
  return Object.fromEntries(programs.map((name, i) => [name, list[i]!]));
}

/** Puts programs where the host sees them; gives their paths there. */
async function copyRuntime(
  programs: Readonly<Record<string, string>>,
  outside: string,
  inside: string,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, path] of Object.entries(programs)) {
    await Deno.mkdir(`${outside}/runtime`, { recursive: true });
    await Deno.copyFile(path, `${outside}/runtime/${name}`);
    found[name] = `${inside}/runtime/${name}`;
  }
  return found;
}

async function versionOf(host: Host, deno: string): Promise<string> {
  const said = await host.output([deno, "--version"]);
  return /^deno (\S+)/.exec(said)![1]!;
}

function denoDir(host: Host): Promise<string> {
  return host.output(["sh", "-c", 'echo "$DENO_DIR"']);
}
