# Whether services.gitops has receivers of messages, and the secrets for them.
{ cfg, lib }:
let
  at = name: lib.attrByPath (lib.splitString "." name) null cfg.settings;
in
rec {
  hasAny =
    lib.any (name: at name != null) [
      "notify.apprise.urlsFile"
      "notify.webhook.url"
      "notify.alertmanager.url"
    ]
    || !lib.elem (at "commitStatus.forge") [
      null
      "none"
    ];

  hasApprise = at "notify.apprise.urlsFile" != null;

  textfile = at "metrics.textfile";

  # Files that systemd passes, wherever they are and whoever may read them: option,
  # name of the credential, flag.
  files = lib.filter (file: file.path != null) (
    map
      (
        { option, credential, flag }:
        {
          inherit option credential flag;
          path = at option;
        }
      )
      [
        {
          option = "notify.apprise.urlsFile";
          credential = "apprise";
          flag = "--notify-apprise-urls-file";
        }
        {
          option = "notify.webhook.secretFile";
          credential = "webhook-secret";
          flag = "--notify-webhook-secret-file";
        }
        {
          option = "notify.alertmanager.tokenFile";
          credential = "alertmanager-token";
          flag = "--notify-alertmanager-token-file";
        }
        {
          option = "commitStatus.tokenFile";
          credential = "forge-token";
          flag = "--commit-status-token-file";
        }
      ]
  );
}
