/**
 * The buttons of the status page. They are forms, so that they work without
 * JavaScript.
 *
 * @module
 */
import { short } from "../base/text.ts";
import type { Action } from "./actions_request.ts";
import { type Html, html, type Value } from "./html.ts";
import type { Session } from "./session.ts";

/** The path that receives the forms of buttons. */
export const pressPath = "/press";

/** The revision of a button. */
export interface Named {
  /** The whole hash. */
  revision: string;
  subject: string;
}

/** The facts that decide which buttons are shown. */
export interface ActionFacts {
  /** `true`: people sign in here, not at a proxy. */
  hasLogin: boolean;
  /** `true`: the host is suspended or rolled back, until `resume`. */
  stays: boolean;
  /** The revision that waits for approval. */
  waiting?: Named;
  /** `true`: a revision is blocked, or waits for a pause to end. */
  isHeld: boolean;
  /** The target of a rollback. */
  backTo?: Named;
}

/**
 * Returns the buttons that a person may press now.
 *
 * @param session The reader of the page; `undefined` if unknown.
 */
export function actionForms(
  session: Session | undefined,
  facts: ActionFacts,
): Html {
  if (!session) {
    return facts.hasLogin ? html`<a href="/login">Sign in</a>` : html``;
  }
  const { waiting, backTo, stays, isHeld } = facts;
  return html`<div class="actions">
${waiting && approveForm(session, waiting)}
${button(session, "sync", "Sync now")}
${isHeld && button(session, "retry", "Retry")}
${stays ? button(session, "resume", "Resume") : suspendForm(session)}
${backTo && rollbackForm(session, backTo)}
${whoForm(session, facts.hasLogin)}
</div>`;
}

/** Returns the buttons that need no facts about the host. */
export function plainForms(session: Session, hasLogin: boolean): Html {
  return html`${button(session, "sync", "Sync now")}
${button(session, "retry", "Retry")}
${suspendForm(session)}
${button(session, "resume", "Resume")}
${whoForm(session, hasLogin)}`;
}

function whoForm(session: Session, hasLogin: boolean): Html {
  return html`<p class="who">Signed in as ${session.name}</p>${
    hasLogin && logoutForm(session)
  }`;
}

function button(session: Session, action: Action, label: string): Html {
  return form(session, action, html`<button>${label}</button>`);
}

function approveForm(session: Session, { revision, subject }: Named): Html {
  return form(
    session,
    "approve",
    html`${hidden("revision", revision)}
<button>Approve ${short(revision)} “${subject}”</button>`,
  );
}

function suspendForm(session: Session): Html {
  return html`<details><summary>Suspend…</summary>
${
    form(
      session,
      "suspend",
      html`<label>For
<select name="for">
<option value="">until somebody resumes it</option>
<option value="1h">1 hour</option>
<option value="4h">4 hours</option>
<option value="1d">1 day</option>
<option value="7d">7 days</option>
</select></label>
${reasonField}
<button>Suspend</button>`,
    )
  }
</details>`;
}

function rollbackForm(session: Session, { revision, subject }: Named): Html {
  return html`<details><summary>Roll back…</summary>
<p>Rolls the host back to ${
    short(revision)
  } “${subject}”. It stays there until somebody resumes it.</p>
${
    form(
      session,
      "rollback",
      html`${hidden("revision", revision)}
${reasonField}
<button>Roll back</button>`,
    )
  }
</details>`;
}

const reasonField = html`<label>Reason
<input name="reason" maxlength="200" autocomplete="off"></label>`;

function logoutForm({ csrf }: Session): Html {
  return html`
    <form method="post" action="/logout">${hidden(
      "csrf",
      csrf,
    )}<button>Sign out</button></form>
  `;
}

function form({ csrf }: Session, action: Action, content: Value): Html {
  return html`<form method="post" action="${pressPath}">
${hidden("csrf", csrf)}${hidden("action", action)}
${content}
</form>`;
}

function hidden(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}">`;
}
