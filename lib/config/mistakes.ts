/**
 * Finds valid values of a configuration that most likely can't work. Pure.
 *
 * @module
 */

/** The options that are checked. */
export interface Looked {
  readonly repository?: string | undefined;
  readonly ref?: string;
  readonly "lock.etcd.endpoints"?: readonly string[];
  readonly "lock.etcd.username"?: string | undefined;
  readonly "lock.etcd.passwordFile"?: string | undefined;
  readonly "lock.fleetlock.url"?: string | undefined;
}

/** Returns one sentence for each mistake, with what to write instead. */
export function mistakes(config: Looked): string[] {
  const { repository, ref } = config;
  return [
    ...(repository === undefined ? [] : ofRepository(repository)),
    ...(ref === undefined ? [] : ofRef(ref)),
    ...ofLocks(config),
  ];
}

function ofLocks(config: Looked): string[] {
  const hasEtcd = (config["lock.etcd.endpoints"] ?? []).length > 0;
  const isUser = config["lock.etcd.username"] !== undefined;
  const isPassword = config["lock.etcd.passwordFile"] !== undefined;
  return [
    ...hasEtcd && config["lock.fleetlock.url"] !== undefined
      ? [
        "lock.etcd.endpoints and lock.fleetlock.url name two lock servers, and only etcd is used: remove one of them",
      ]
      : [],
    ...isUser === isPassword ? [] : [
      "lock.etcd.username and lock.etcd.passwordFile belong together: set both, or neither",
    ],
  ];
}

/** The hosts of forges, by their names in flake references. */
const forges: Readonly<Record<string, string>> = {
  github: "github.com",
  gitlab: "gitlab.com",
  sourcehut: "git.sr.ht",
};

function ofRepository(url: string): string[] {
  const [, scheme = "", rest = ""] = /^([a-z]+):(?!\/\/)(.*)$/.exec(url) ?? [];
  if (scheme in forges) {
    const [owner = "OWNER", name = "NAME"] = rest.split(/[/?#]/);
    const write = `https://${forges[scheme]}/${owner}/${name}`;
    return [
      `repository ${url} is a flake reference, and Git takes ${scheme} for a host: write ${write}`,
    ];
  }
  if (scheme === "path" || scheme === "flake" || scheme === "git") {
    return [
      `repository ${url} is a flake reference, and Git takes ${scheme} for a host: write ${
        scheme === "path"
          ? `file://${rest.startsWith("/") ? rest : `/${rest}`}`
          : "the URL that git clone takes"
      }`,
    ];
  }
  if (/^git\+[a-z]+:/.test(url)) {
    return [
      `repository ${url} is a flake reference, which Git does not read: write ${
        url.slice(4).replace(/\?.*$/, "")
      }`,
    ];
  }
  return [...withPort(url), ...withFragment(url)];
}

function withPort(url: string): string[] {
  const scp = /^((?:[^/@:]+@)?[^/:@]+):(\d{2,5})\/(.+)$/.exec(url);
  if (scp && !url.includes("://")) {
    const [, host, port, path] = scp;
    return [
      `repository ${url} names the folder ${port} on the host, not a port: to name a port, write ssh://${host}:${port}/${path}`,
    ];
  }
  const ssh = /^ssh:\/\/([^/]+):([^/\d][^/]*)\/(.*)$/.exec(url);
  if (!ssh) return [];
  const [, host, first, path] = ssh;
  return [
    `repository ${url} has ${first} in the place of a port: write ssh://${host}/${first}/${path} or ${host}:${first}/${path}`,
  ];
}

function withFragment(url: string): string[] {
  const [, before, , after] = /^([a-z]+:\/\/[^?#]*)([?#])(.+)$/.exec(url) ?? [];
  if (before === undefined || url.startsWith("file:")) return [];
  const ref = /^(?:ref=)?([\w./-]+)$/.exec(after!)?.[1];
  return [
    `repository ${url} has text after the path, and Git takes it for a part of the path: write ${before}${
      ref ? `, and ref: ${ref}` : ""
    }`,
  ];
}

function ofRef(ref: string): string[] {
  if (/^(?=.*[A-F])[0-9A-Fa-f]{40}(?:[0-9A-Fa-f]{24})?$/.test(ref)) {
    return [
      `ref ${ref} is a commit hash with uppercase letters, which Git does not accept: write ${ref.toLowerCase()}`,
    ];
  }
  const isShort = /^[0-9a-f]{7,39}$/.test(ref) && /\d/.test(ref) &&
    /[a-f]/.test(ref);
  return isShort
    ? [
      `ref ${ref} looks like an abbreviated commit hash, which a Git server does not accept: write the full hash (git rev-parse ${ref})`,
    ]
    : [];
}
