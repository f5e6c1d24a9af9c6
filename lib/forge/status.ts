/**
 * Writes commit statuses of GitHub, GitLab, Gitea and Forgejo, with one context
 * for each host.
 *
 * @module
 */
import { post, type Sent } from "../base/post.ts";
import { oneLine, short } from "../base/text.ts";
import type { LocalConfig } from "../config/config.ts";
import { headersFor } from "./headers.ts";
import { placeOf } from "./place.ts";

/** The status of a commit's deployment. */
export interface DeploymentStatus {
  revision: string;
  state: "pending" | "success" | "failure";
  description: string;
  link?: string;
}

/** A request to a forge. */
export interface Request {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: Readonly<Record<string, string>>;
}

/** The limit of GitHub. */
const longestDescription = 140;

/** A token, and the certificates to trust. */
export interface Access {
  token: string;
  ca?: string | undefined;
}

/** Sends the status of a commit's deployment to the forge. */
export async function toForge(
  config: LocalConfig,
  deployment: DeploymentStatus,
  { token, ca }: Access,
  now: Date,
): Promise<Sent> {
  const request = requestOf(config, deployment, token);
  if (!request) {
    return {
      result: "later",
      why:
        "the repository's URL does not name the forge: set commitStatus.url and commitStatus.project",
    };
  }
  const { url, headers, body } = request;
  return await post({
    url,
    headers,
    body: JSON.stringify(body),
    ca,
    reads: (status, said) => meaningFor(config, deployment, status, said),
  }, now);
}

/**
 * Interprets a refusal. The forge may get the commit later: the host may follow
 * a mirror that is ahead of it. Gitea answers 500 then. Like the others, it
 * answers 404 if there is no such project.
 */
function meaningFor(
  config: LocalConfig,
  { revision }: DeploymentStatus,
  status: number,
  said: string,
): Sent | undefined {
  const isThere = config["commitStatus.forge"] === "gitlab" &&
    said.includes("Cannot transition status");
  if (isThere) return { result: "done" };
  const answered = `it answered with status ${status}`;
  const alone = (why: string): Sent => ({
    result: "later",
    why: `${answered}: ${why}`,
    isAlone: true,
  });
  if (isNoCommit(said)) return alone(`it has no commit ${short(revision)} yet`);
  if (status === 404) {
    return alone(
      `the token can see no project ${
        placeOf(config)?.project
      } (commitStatus.project), or the project has no commit ${
        short(revision)
      } yet`,
    );
  }
  return status >= 500
    ? { result: "later", why: answered, isAlone: true }
    : undefined;
}

/**
 * Reports whether the text is that of GitHub (with 422) or GitLab (with 404)
 * for a missing commit.
 */
const isNoCommit = (said: string) =>
  /No commit found for SHA|Commit Not Found/i.test(said);

/** Makes the request, as each forge documents it. */
export function requestOf(
  config: LocalConfig,
  { revision, state, description, link }: DeploymentStatus,
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
