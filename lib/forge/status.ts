/**
 * Commit statuses of GitHub, GitLab, Gitea and Forgejo: one context a host.
 *
 * @module
 */
import { post, type Sent } from "../base/post.ts";
import { oneLine } from "../base/text.ts";
import type { LocalConfig } from "../config/config.ts";
import { headersFor } from "./headers.ts";
import { placeOf } from "./place.ts";

/** How the deployment of a commit stands. */
export interface Standing {
  revision: string;
  state: "pending" | "success" | "failure";
  description: string;
  link?: string;
}

/** What a forge is asked. */
export interface Request {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: Readonly<Record<string, string>>;
}

/** GitHub takes no more. */
const longestDescription = 140;

/** A token, and the certificates that the forge is trusted by. */
export interface Access {
  token: string;
  ca?: string | undefined;
}

/** Tells the forge how the deployment of a commit stands here. */
export async function toForge(
  config: LocalConfig,
  standing: Standing,
  { token, ca }: Access,
  now: Date,
): Promise<Sent> {
  const request = requestOf(config, standing, token);
  if (!request) {
    return {
      result: "later",
      why:
        "the repository's URL does not tell where the forge is: set commitStatus.url and commitStatus.project",
    };
  }
  const { url, headers, body } = request;
  const isGitLab = config["commitStatus.forge"] === "gitlab";
  return await post({
    url,
    headers,
    body: JSON.stringify(body),
    ca,
    ...(isGitLab ? { isThere } : {}),
  }, now);
}

/** GitLab refuses a state that a commit has already with these words. */
const isThere = (said: string) => said.includes("Cannot transition status");

/** The request, as each forge documents it. */
export function requestOf(
  config: LocalConfig,
  { revision, state, description, link }: Standing,
  token: string,
): Request | undefined {
  const place = placeOf(config);
  if (!place) return undefined;
  const { api, project } = place;
  const context = `gitops-sync/${config.host}`;
  const text = oneLine(description, longestDescription);
  const target: Record<string, string> = link ? { target_url: link } : {};
  const path = project.split("/").map(encodeURIComponent).join("/");
  const forge = config["commitStatus.forge"];
  if (forge === "none") return undefined;
  const headers = headersFor(forge, token);
  switch (forge) {
    case "gitlab":
      return {
        url: `${api}/projects/${
          encodeURIComponent(project)
        }/statuses/${revision}`,
        headers,
        body: {
          state: state === "failure" ? "failed" : state,
          name: context,
          description: text,
          ...target,
        },
      };
    case "github":
      return {
        url: `${api}/repos/${path}/statuses/${revision}`,
        headers,
        body: { state, context, description: text, ...target },
      };
    default:
      return {
        url: `${api}/repos/${path}/statuses/${revision}`,
        headers,
        body: { state, context, description: text, ...target },
      };
  }
}
