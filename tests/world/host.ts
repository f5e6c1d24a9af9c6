/**
 * What a world and a machine have in common: a place that believes to be a
 * NixOS host, in which programs run and whose facts can be read from outside.
 *
 * @module
 */
import { dirname, join } from "node:path";
import type { OptionName } from "../../lib/config/schema.ts";
import type { State } from "../../lib/state/state.ts";
import {
  type Ended,
  outputOf,
  type Program,
  type ProgramOptions,
} from "./program.ts";
import type { Repository } from "./repository.ts";

/** One call of switch-to-configuration (or `init`), as it was noted. */
export interface Call {
  action: string;
  system: string;
}

/** The configuration of a test: options by their full name. */
export type Settings = Partial<Record<OptionName, unknown>>;

/** A host under test. */
export abstract class Host {
  /** Where a file of the host is, seen from outside. Follows no link. */
  abstract path(inside: string): string;

  /** The URL under which the host reaches a repository made outside. */
  abstract urlOf(repository: Repository): string;

  /** Starts a program in the host. */
  abstract start(argv: readonly string[], options?: ProgramOptions): Program;

  /** What runs gitops-sync of this checkout in the host. */
  protected abstract readonly program: readonly string[];

  /** Runs a program in the host to its end, whatever its exit code. */
  run(argv: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
    return this.start(argv, options).ended;
  }

  /** Runs a program that must succeed; gives its standard output. */
  async output(
    argv: readonly string[],
    options: ProgramOptions = {},
  ): Promise<string> {
    return outputOf(argv, await this.run(argv, options));
  }

  /**
   * Runs gitops-sync with these arguments; without any it is `sync`. What it
   * writes with `--json` is held to docs/json.schema.json.
   */
  async sync(...args: string[]): Promise<Ended> {
    const ended = await this.run([...this.program, ...args]);
    if (args.includes("--json")) await mustFit(ended.stdout);
    return ended;
  }

  /** Starts gitops-sync, to watch it or to kill it. */
  startSync(args: readonly string[], options: ProgramOptions = {}): Program {
    return this.start([...this.program, ...args], options);
  }

  /** The store path that runs, or `null`. */
  running(): string | null {
    return this.follow("/run/current-system");
  }

  /** The store path that the system profile points to, or `null`. */
  bootDefault(): string | null {
    return this.follow("/nix/var/nix/profiles/system");
  }

  /** The store path that the bootloader starts, or `null`. */
  bootEntry(): string | null {
    const loader = this.read("/boot/loader/loader.conf") ?? "";
    const [, named] = /^default (.*)$/m.exec(loader) ?? [];
    const entry = named?.endsWith("*") ? this.#newest(named) : named;
    const text = entry && this.read(`/boot/loader/entries/${entry}`);
    return /^options init=(\S*)\/init /m.exec(text ?? "")?.[1] ?? null;
  }

  /** The entry that systemd-boot takes: the newest that it has not given up. */
  #newest(pattern: string): string | undefined {
    const names = Array.from(
      Deno.readDirSync(this.path("/boot/loader/entries")),
      ({ name }) => name,
    ).filter((name) => name.startsWith(pattern.slice(0, -1)));
    const usable = names.filter((name) => !/\+0(-|\.)/.test(name));
    return (usable.length > 0 ? usable : names)
      .sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  }

  /** All calls of switch-to-configuration since the boot. */
  calls(): Call[] {
    return linesOf(this.read("/run/stand-in/calls")).map((line) => {
      const [action, system] = line.split(" ");
      return { action: action!, system: system! };
    });
  }

  /** The state that gitops-sync keeps, or `null` before there is one. */
  state(): State | null {
    const text = this.read("/var/lib/gitops-sync/state.json");
    return text === null ? null : JSON.parse(text);
  }

  /** The history that gitops-sync keeps, oldest first. */
  history(): Record<string, unknown>[] {
    return linesOf(this.read("/var/lib/gitops-sync/history.jsonl"))
      .map((line) => JSON.parse(line));
  }

  /** The content of a file of the host, or `null` where there is none. */
  read(inside: string): string | null {
    try {
      return Deno.readTextFileSync(this.path(inside));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Writes a file of the host, with its folders. */
  write(inside: string, content: string): void {
    const file = this.path(inside);
    Deno.mkdirSync(dirname(file), { recursive: true });
    Deno.writeTextFileSync(file, content);
  }

  /** Writes the configuration: this repository, its branch main, host demo. */
  configure(repository: Repository, settings: Settings = {}): void {
    const all: Settings = {
      repository: this.urlOf(repository),
      ref: "main",
      host: "demo",
      // Its own default would make each test as much slower.
      "health.steady": "300ms",
      ...settings,
    };
    const text = `${JSON.stringify(all, null, 2)}\n`;
    this.write("/etc/gitops-sync/config.yaml", text);
  }

  /** Makes the host's age key; gives the recipient to encrypt for. */
  async makeKey(path = "/etc/ssh/age.key"): Promise<string> {
    await this.output(["age-keygen", "-o", path]);
    return await this.output(["age-keygen", "-y", path]);
  }

  /** Encrypts YAML with sops in the host; gives the encrypted file. */
  encrypt(recipient: string, yaml: string): Promise<string> {
    return this.output(
      [
        "sops",
        "encrypt",
        "--age",
        recipient,
        "--input-type=yaml",
        "--output-type=yaml",
        "/dev/stdin",
      ],
      { input: yaml },
    ).then((text) => `${text}\n`);
  }

  /**
   * Where a link leads inside the host: step by step, since each step names a
   * place of the host and not of the machine that it is looked at from.
   */
  follow(inside: string): string | null {
    let at = inside;
    for (let step = 0; step < 20; step++) {
      const target = linkOf(this.path(at));
      if (target === undefined) return at;
      if (target === null) return null;
      at = join(dirname(at), target);
      if (target.startsWith("/")) at = target;
    }
    throw new Error(`${inside} is a loop of links`);
  }
}

/** A link's target; `undefined`: no link; `null`: nothing is there. */
function linkOf(path: string): string | null | undefined {
  try {
    const { isSymlink } = Deno.lstatSync(path);
    return isSymlink ? Deno.readLinkSync(path) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** The validator is loaded where there is something to validate. */
async function mustFit(text: string): Promise<void> {
  const { mustFitSchema } = await import("../schema.ts");
  mustFitSchema(text);
}

function linesOf(text: string | null): string[] {
  return (text ?? "").split("\n").filter((line) => line !== "");
}
