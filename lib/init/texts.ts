/**
 * The files of a repository that hosts follow, as texts. `init` and the flake's
 * template use them. Pure.
 *
 * @module
 */

/** Where the flake's inputs come from. */
export interface Inputs {
  nixpkgs: string;
  gitops: string;
  sopsNix: string;
}

/** The default inputs. */
export const usualInputs: Inputs = {
  nixpkgs: "github:NixOS/nixpkgs/nixos-25.05",
  gitops: "github:yourname/gitops-sync",
  sopsNix: "github:Mic92/sops-nix",
};

/** The facts of one host. */
export interface Plan {
  host: string;
  /** As Nix names it, e.g. `x86_64-linux`. */
  system: string;
  repository: string;
  ref: string;
  /** The folder of the flake inside the repository, or empty. */
  directory: string;
  inputs: Inputs;
  /** The host's own modules, as paths from its module. */
  imports: readonly string[];
  /** What the host's own modules already set. */
  sets: { hostName?: string | undefined; stateVersion: boolean };
  stateVersion: string;
  /** The host's key file. */
  keyFile: string;
  /** The name of the first secret; none if a person has to write it first. */
  secret: string | undefined;
}

/** A name as an attribute of the Nix language. */
function attribute(name: string): string {
  return /^[A-Za-z_][\w'-]*$/.test(name) ? name : inNix(name);
}

/** A text as a string of the Nix language. */
function inNix(text: string): string {
  return `"${text.replace(/["\\]|\$\{/g, "\\$&")}"`;
}

/** The entry of a host in the flake, without indentation. */
export function hostEntry({ host, system }: Pick<Plan, "host" | "system">) {
  return `nixosConfigurations.${attribute(host)} = nixpkgs.lib.nixosSystem {
  system = ${inNix(system)};
  modules = [
    gitops.nixosModules.gitops
    sops-nix.nixosModules.sops
    ./hosts/${host}.nix
  ];
};`;
}

/** `flake.nix`. */
export function flakeText(plan: Pick<Plan, "host" | "system" | "inputs">) {
  const { nixpkgs, gitops, sopsNix } = plan.inputs;
  return `{
  description = "Hosts that follow this repository";

  inputs = {
    nixpkgs.url = ${inNix(nixpkgs)};
    gitops.url = ${inNix(gitops)};
    gitops.inputs.nixpkgs.follows = "nixpkgs";
    sops-nix.url = ${inNix(sopsNix)};
    sops-nix.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    {
      nixpkgs,
      gitops,
      sops-nix,
      ...
    }:
    {
      # A host finds its entry by its host name.
${indented(hostEntry(plan), 6)}
    };
}
`;
}

/** `hosts/HOST.nix`. */
export function hostText(plan: Plan): string {
  const { host, repository, ref, directory, sets, keyFile, secret } = plan;
  const imports = plan.imports.length === 0
    ? `  # Copy the file that nixos-generate-config wrote on the host, then import it:
  # imports = [ ./${host}-hardware.nix ];`
    : `  # Copied from /etc/nixos: boot loader, disks, users and sshd stay as they are.
  imports = [
${plan.imports.map((path) => `    ${path}`).join("\n")}
  ];`;
  const name = sets.hostName === undefined
    ? `\n  networking.hostName = ${inNix(host)};\n`
    : "";
  const other = sets.hostName !== undefined && sets.hostName !== host
    ? `\n    # The host name of the machine is ${sets.hostName}.\n    host = ${
      inNix(host)
    };`
    : "";
  const folder = directory === ""
    ? ""
    : `\n    directory = ${inNix(directory)};`;
  const version = sets.stateVersion ? "" : `
  # The release of NixOS that the host was installed with.
  system.stateVersion = ${inNix(plan.stateVersion)};
`;
  const first = secret === undefined
    ? `  # When secrets/${host}.yaml exists (see README.md):
  # sops.secrets.password.sopsFile = ../secrets/${host}.yaml;`
    : `  # The value is at /run/secrets/${secret} on the host.
  sops.secrets.${secret}.sopsFile = ../secrets/${host}.yaml;`;
  return `{
${imports}
${name}
  services.gitops = {
    enable = true;${other}
    repository = ${inNix(repository)};
    ref = ${inNix(ref)};${folder}
    frequency = "5m";
    # For a private repository, one of:
    # tokenFile = "/etc/gitops-sync/token";
    # sshKeyFile = "/etc/ssh/ssh_host_ed25519_key";
  };

  sops.age.keyFile = ${inNix(keyFile)};
${first}
${version}}
`;
}

/** A reader of a secret. */
export interface Reader {
  /** A name for people. */
  name: string;
  /** Its public key. */
  key: string;
}

/**
 * `.sops.yaml`, for one host.
 *
 * @param readers Who can decrypt: the host, and a person who can change it.
 */
export function rulesText(host: string, readers: readonly Reader[]): string {
  return `# Who can decrypt which file: the host, and the person who writes its secrets.
# gitops-sync secrets recipients prints the key of the host. age-keygen -y FILE
# prints your own.
keys:
${readers.map(({ name, key }) => `  - &${name} ${key}`).join("\n")}
creation_rules:
  - path_regex: ^secrets/${host.replaceAll(".", "\\.")}\\.yaml$
    key_groups:
      - age:
${readers.map(({ name }) => `          - *${name}`).join("\n")}
`;
}

function indented(text: string, columns: number): string {
  return text.split("\n").map((line) => `${" ".repeat(columns)}${line}`)
    .join("\n");
}

/** The files of the template, which a person fills in by hand. */
export const templateFiles: Readonly<Record<string, string>> = (() => {
  const plan: Plan = {
    host: "myhost",
    system: "x86_64-linux",
    repository: "https://git.example.org/infra.git",
    ref: "main",
    directory: "",
    inputs: usualInputs,
    imports: [],
    sets: { stateVersion: false },
    stateVersion: "25.05",
    keyFile: "/etc/ssh/age.key",
    secret: undefined,
  };
  return {
    "flake.nix": flakeText(plan),
    "hosts/myhost.nix": hostText(plan),
    ".sops.yaml": rulesText("myhost", [
      { name: "me", key: "age1replacethiswithyourownpublickey" },
      {
        name: "myhost",
        key: "age1replacethiswiththepublickeyofyourhost",
      },
    ]),
  };
})();
