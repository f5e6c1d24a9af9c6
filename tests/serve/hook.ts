/**
 * Webhooks as forges send them: the parts of their documented examples that
 * name the repository and what moved.
 *
 * @module
 */
import { assert } from "@std/assert";
import { Bodies } from "../../lib/serve/body.ts";
import { makeAnswer } from "../../lib/serve/server.ts";
import { Wanted } from "../../lib/serve/wanted.ts";
import { answerHook } from "../../lib/serve/webhook.ts";

/** A secret of the usual length. */
export const secret = "5f2c1d0e9b8a7f6e5d4c3b2a19080706";

/** HMAC-SHA256 in hexadecimal digits, made by another library than ours. */
export async function hmac(
  secret: string,
  body: Uint8Array,
): Promise<string> {
  const { createHmac } = await import("node:crypto");
  return createHmac("sha256", secret).update(body).digest("hex");
}

/** A delivery: its headers without a signature, and its body. */
export interface Delivery {
  headers: Readonly<Record<string, string>>;
  body: unknown;
}

/** A push of `refs/heads/main` or a tag to git.example.org/me/infra. */
export const pushes: Readonly<Record<string, (ref: string) => Delivery>> = {
  github: (ref) => ({
    headers: { "x-github-event": "push", "x-github-delivery": "72d3162e" },
    body: {
      ref,
      before: "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
      after: "0000000000000000000000000000000000000000",
      repository: {
        full_name: "me/infra",
        html_url: "https://git.example.org/me/infra",
        git_url: "git://git.example.org/me/infra.git",
        ssh_url: "git@git.example.org:me/infra.git",
        clone_url: "https://git.example.org/me/infra.git",
      },
      commits: [],
    },
  }),
  gitlab: (ref) => ({
    headers: {
      "x-gitlab-event": ref.startsWith("refs/tags/")
        ? "Tag Push Hook"
        : "Push Hook",
    },
    body: {
      object_kind: "push",
      ref,
      project: {
        web_url: "https://git.example.org/me/infra",
        git_ssh_url: "git@git.example.org:me/infra.git",
        git_http_url: "https://git.example.org/me/infra.git",
      },
      repository: { url: "git@git.example.org:me/infra.git" },
    },
  }),
  gitea: (ref) => ({
    headers: {
      "x-gitea-event": "push",
      "x-gogs-event": "push",
      "x-github-event": "push",
    },
    body: {
      ref,
      repository: {
        html_url: "https://git.example.org/me/infra",
        ssh_url: "ssh://git@git.example.org:2222/me/infra.git",
        clone_url: "https://git.example.org/me/infra.git",
      },
    },
  }),
  forgejo: (ref) => ({
    headers: { "x-forgejo-event": "push", "x-gitea-event": "push" },
    body: {
      ref,
      repository: { clone_url: "https://git.example.org/me/infra.git" },
    },
  }),
  bitbucket: (ref) => ({
    headers: { "x-event-key": "repo:push" },
    body: {
      push: {
        changes: [{
          new: {
            type: ref.startsWith("refs/tags/") ? "tag" : "branch",
            name: ref.replace(/^refs\/(heads|tags)\//, ""),
          },
          old: null,
        }],
      },
      repository: {
        full_name: "me/infra",
        links: { html: { href: "https://git.example.org/me/infra" } },
      },
    },
  }),
  "bitbucket server": (ref) => ({
    headers: { "x-event-key": "repo:refs_changed" },
    body: {
      changes: [{ ref: { id: ref, type: "BRANCH" }, type: "UPDATE" }],
      repository: {
        links: {
          clone: [
            { href: "ssh://git@git.example.org:7999/me/infra.git" },
            { href: "https://git.example.org/me/infra.git" },
          ],
          self: [{ href: "https://git.example.org/projects/me/repos/infra" }],
        },
      },
    },
  }),
};

/** A request with the signature that Flux and most forges use. */
export async function requestOf(
  { headers, body }: Delivery,
  by = secret,
): Promise<Request> {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  return new Request("http://localhost/webhook", {
    method: "POST",
    headers: {
      ...headers,
      "x-hub-signature-256": `sha256=${await hmac(by, bytes)}`,
    },
    body: bytes,
  });
}

/** What answers webhooks, and what came of it. */
export class Endpoint implements AsyncDisposable {
  readonly told: string[] = [];
  time = 0;
  secrets: () => Promise<readonly string[]> = () => Promise.resolve([secret]);
  readonly #answer: (request: Request) => Promise<Response>;

  private constructor(
    readonly folder: string,
    repository: string,
    ref: string,
  ) {
    const hooks = {
      followed: { repository, mirrors: [], ref },
      secrets: () => this.secrets(),
      wanted: new Wanted(this.file, () => this.time),
      bodies: new Bodies(),
      effects: { tell: (event: unknown) => this.told.push(text(event)) },
    };
    this.#answer = makeAnswer([{
      path: "/webhook",
      answer: (request) => answerHook(hooks, request),
    }]);
  }

  static async make(
    repository = "https://git.example.org/me/infra.git",
    ref = "main",
  ): Promise<Endpoint> {
    return new Endpoint(await Deno.makeTempDir(), repository, ref);
  }

  get file(): string {
    return `${this.folder}/wanted`;
  }

  answer(request: Request): Promise<Response> {
    return this.#answer(request);
  }

  /** Whether a run is wanted; from now on none is. */
  async takesWish(): Promise<boolean> {
    try {
      const { isFile } = await Deno.lstat(this.file);
      assert(isFile);
      await Deno.remove(this.file);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.folder, { recursive: true });
  }
}

const text = (event: unknown) => JSON.stringify(event);
