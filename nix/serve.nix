# services.gitops.serve: a server for webhooks and the status page, and the unit
# that starts a run after a push.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkEnableOption mkIf mkOption types;

  cfg = config.services.gitops;
  units = import ./units.nix { inherit lib; };

  secretFile = cfg.settings.serve.webhookSecretFile or null;
  inherit (cfg.settings.serve) listen wanted;
  hasHook = secretFile != null;
  hasPage = cfg.settings.serve.page or false;

  # The parts of the state folder that the page shows (lib/report/page_facts.ts).
  state = cfg.settings.stateDirectory;
  shown = map (name: "${units.absolute state}/${name}") [
    "attempts"
    "page"
  ];

  # Not DynamicUser=: with that and a preserved folder, systemd puts the folder
  # where only root can enter, and no proxy reaches a socket in it.
  user = "gitops-sync-serve";

  auth = cfg.settings.serve.auth or { };
  passwordFile = auth.passwordFile or null;
  header = auth.header or null;
  hasButtons = passwordFile != null || header != null;

  isLoopback = builtins.match "(127[.].*|localhost|[[]::1[]]):[0-9]+" listen != null;
  isSocket = lib.hasPrefix "unix:" listen;
in
{
  imports = [ ./buttons.nix ];

  options.services.gitops.serve = {
    enable = mkEnableOption "gitops-sync serve, with which a push starts a run within a second, and which can show a status page";

    group = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "nginx";
      description = ''
        The group that may connect to the socket, if `services.gitops.serve.listen` names a socket. Set it to the group of the reverse proxy.
      '';
    };
  };

  config = mkIf (cfg.enable && cfg.serve.enable) {
    assertions = [
      {
        assertion = units.problemOfPath wanted == null;
        message = "services.gitops.serve.wanted ${toString (units.problemOfPath wanted)}.";
      }
      {
        assertion = hasHook || hasPage || hasButtons;
        message = ''
          services.gitops.serve.enable needs a webhook secret or the status page. Put the secret into a file on the host, and write, for example:
            services.gitops.serve.webhookSecretFile = "/etc/gitops-sync/webhook-secret";
          For only the status page, write:
            services.gitops.serve.page = true;'';
      }
      {
        assertion = secretFile == null || units.problemOfPath secretFile == null;
        message = ''
          services.gitops.serve.webhookSecretFile ${toString (units.problemOfPath secretFile)}. Write the path of a file on the host as a string, for example:
            services.gitops.serve.webhookSecretFile = "/etc/gitops-sync/webhook-secret";'';
      }
      {
        assertion = !lib.hasPrefix builtins.storeDir (toString secretFile);
        message = "services.gitops.serve.webhookSecretFile is in the Nix store, where every user can read it. Put the file on the host and write its path as a string.";
      }
      {
        assertion = passwordFile == null || header == null;
        message = "services.gitops.serve.auth has a passwordFile and a header. Remove one of them: people sign in at one place.";
      }
      {
        assertion = !hasButtons || auth.origin or null != null;
        message = ''
          services.gitops.serve.auth enables buttons, so it needs the address of the status page. Write, for example:
            services.gitops.serve.auth.origin = "https://${config.networking.hostName}.example.org";'';
      }
      {
        assertion = header == null || isLoopback || isSocket;
        message = ''
          services.gitops.serve.auth.header would be trusted from anybody who reaches ${listen}. Let the proxy connect to a socket, for example:
            services.gitops.serve.listen = "unix:/run/gitops-sync-serve/http.sock";'';
      }
      {
        assertion = passwordFile == null || units.problemOfPath passwordFile == null;
        message = ''
          services.gitops.serve.auth.passwordFile ${toString (units.problemOfPath passwordFile)}. Write the path of a file on the host as a string, for example:
            services.gitops.serve.auth.passwordFile = "/etc/gitops-sync/passwords";'';
      }
      {
        assertion = !lib.hasPrefix builtins.storeDir (toString passwordFile);
        message = "services.gitops.serve.auth.passwordFile is in the Nix store, where every user can read it. Put the file on the host and write its path as a string.";
      }
    ];

    users.users.${user} = {
      isSystemUser = true;
      group = user;
      description = "receives webhooks for gitops-sync";
    };
    users.groups.${user} = { };

    systemd.services.gitops-sync-serve = {
      description =
        if hasPage then
          "Receive webhooks of the Git repository, and show the status page of this host"
        else
          "Receive webhooks of the Git repository of this host";
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      environment = units.environment { HOME = "/var/empty"; };
      # It reads the configuration when it starts.
      restartTriggers = [ config.environment.etc."gitops-sync/config.yaml".source ];

      serviceConfig =
        import ./sandbox.nix
        // {
          Type = "exec";
          ExecStart = lib.concatStringsSep " " (
            [ "${lib.getExe cfg.package} serve" ]
            ++ lib.optional hasHook "--serve-webhook-secret-file=%d/webhook-secret"
            ++ lib.optional (passwordFile != null) "--serve-auth-password-file=%d/passwords"
          );
          LoadCredential =
            lib.optional hasHook (
              units.credential {
                credential = "webhook-secret";
                path = secretFile;
              }
            )
            ++ lib.optional (passwordFile != null) (
            units.credential {
              credential = "passwords";
              path = passwordFile;
            }
          );
          # Its own user, who may write to one folder.
          User = user;
          Group = if cfg.serve.group == null then user else cfg.serve.group;
          RuntimeDirectory = "gitops-sync-serve";
          RuntimeDirectoryMode = "0750";
          # A requested run stays requested.
          RuntimeDirectoryPreserve = true;
          Restart = "on-failure";
          RestartSec = 10;
          TimeoutStopSec = "30s";

          # It starts no program, and anybody may send requests.
          MemoryMax = "512M";
          # Each waiting client needs one.
          LimitNOFILE = 16384;
          TasksMax = 64;
          PrivateUsers = true;
          ProcSubset = "pid";
          ProtectHome = true;
          SystemCallFilter = [
            "@system-service"
            "@pkey"
            "~@privileged @resources"
          ];
        }
        // lib.optionalAttrs hasPage {
          # Only root may enter the state folder. The unit sees an empty folder
          # instead, with only what the page shows.
          TemporaryFileSystem = ''"${units.absolute state}:ro"'';
          BindReadOnlyPaths = map (path: ''"-${path}"'') shown;
        }
        // lib.optionalAttrs isLoopback {
          IPAddressAllow = "localhost";
          IPAddressDeny = "any";
        }
        // lib.optionalAttrs isSocket {
          IPAddressDeny = "any";
          RestrictAddressFamilies = "AF_UNIX";
        };
    };

    # The server never sees folders that are missing when it starts.
    systemd.tmpfiles.rules = mkIf hasPage (
      [ ''d "${units.absolute state}" 0700 root root -'' ]
      ++ map (path: ''d "${path}" 0755 root root -'') shown
    );

    # A push during a run creates the file again: systemd checks for it after the
    # run.
    systemd.paths.gitops-sync-push = {
      description = "Sync this host with its Git repository after a push";
      wantedBy = [ "multi-user.target" ];
      pathConfig = {
        PathExists = units.literal wanted;
        Unit = "gitops-sync.service";
      };
    };

    systemd.services.gitops-sync = {
      serviceConfig.ExecStartPre = "-+${pkgs.coreutils}/bin/rm -rf -- ${units.literal wanted}";
      # Pushes may come faster than the start limit of systemd.
      unitConfig.StartLimitIntervalSec = 0;
    };
  };
}
