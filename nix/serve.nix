# services.gitops.serve: a server for webhooks, and what starts a run for them.
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
    enable = mkEnableOption "gitops-sync serve, by which a push starts a run within a second";

    group = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "nginx";
      description = ''
        The group that may connect to the socket, where `services.gitops.serve.listen` names one: that of the reverse proxy.
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
        assertion = secretFile != null;
        message = ''
          services.gitops.serve.enable is set, and no secret for the webhook. Put it into a file on the host, and write for example:
            services.gitops.serve.webhookSecretFile = "/etc/gitops-sync/webhook-secret";'';
      }
      {
        assertion = secretFile == null || units.problemOfPath secretFile == null;
        message = ''
          services.gitops.serve.webhookSecretFile ${toString (units.problemOfPath secretFile)}. Write the path of a file on the host as text, for example:
            services.gitops.serve.webhookSecretFile = "/etc/gitops-sync/webhook-secret";'';
      }
      {
        assertion = !lib.hasPrefix builtins.storeDir (toString secretFile);
        message = "services.gitops.serve.webhookSecretFile is in the Nix store, where every user can read it. Put the file on the host and write its path as text.";
      }
      {
        assertion = passwordFile == null || header == null;
        message = "services.gitops.serve.auth has a passwordFile and a header. Leave one of them out: people sign in at one place.";
      }
      {
        assertion = !hasButtons || auth.origin or null != null;
        message = ''
          services.gitops.serve.auth lets people press buttons, and does not say where they open the page. Write, for example:
            services.gitops.serve.auth.origin = "https://${config.networking.hostName}.example.org";'';
      }
      {
        assertion = header == null || isLoopback || isSocket;
        message = ''
          services.gitops.serve.auth.header would be believed from everybody who reaches ${listen}. Let the proxy connect to a socket, for example:
            services.gitops.serve.listen = "unix:/run/gitops-sync-serve/http.sock";'';
      }
      {
        assertion = passwordFile == null || units.problemOfPath passwordFile == null;
        message = ''
          services.gitops.serve.auth.passwordFile ${toString (units.problemOfPath passwordFile)}. Write the path of a file on the host as text, for example:
            services.gitops.serve.auth.passwordFile = "/etc/gitops-sync/passwords";'';
      }
      {
        assertion = !lib.hasPrefix builtins.storeDir (toString passwordFile);
        message = "services.gitops.serve.auth.passwordFile is in the Nix store, where every user can read it. Put the file on the host and write its path as text.";
      }
    ];

    systemd.services.gitops-sync-serve = {
      description = "Hear of pushes to the Git repository of this host";
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      environment = units.environment { HOME = "/var/empty"; };

      serviceConfig =
        import ./sandbox.nix
        // {
          Type = "exec";
          ExecStart = lib.concatStringsSep " " (
            [ "${lib.getExe cfg.package} serve --serve-webhook-secret-file=%d/webhook-secret" ]
            ++ lib.optional (passwordFile != null) "--serve-auth-password-file=%d/passwords"
          );
          LoadCredential = [
            (units.credential {
              credential = "webhook-secret";
              path = secretFile;
            })
          ]
          ++ lib.optional (passwordFile != null) (
            units.credential {
              credential = "passwords";
              path = passwordFile;
            }
          );
          # A user of its own for as long as it runs, who may write one file.
          DynamicUser = true;
          RuntimeDirectory = "gitops-sync-serve";
          RuntimeDirectoryMode = "0750";
          # What is wanted stays wanted.
          RuntimeDirectoryPreserve = true;
          Restart = "on-failure";
          RestartSec = 10;
          TimeoutStopSec = "30s";

          # It starts no program and hears from anybody.
          MemoryMax = "512M";
          # Each client that waits is one.
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
        // lib.optionalAttrs (cfg.serve.group != null) { Group = cfg.serve.group; }
        // lib.optionalAttrs isLoopback {
          IPAddressAllow = "localhost";
          IPAddressDeny = "any";
        }
        // lib.optionalAttrs isSocket {
          IPAddressDeny = "any";
          RestrictAddressFamilies = "AF_UNIX";
        };
    };

    # A push that comes while a run is under way makes the file again: systemd
    # looks for it when the run is over.
    systemd.paths.gitops-sync-push = {
      description = "Bring this host to what its Git repository says after a push";
      wantedBy = [ "multi-user.target" ];
      pathConfig = {
        PathExists = units.literal wanted;
        Unit = "gitops-sync.service";
      };
    };

    systemd.services.gitops-sync = {
      serviceConfig.ExecStartPre = "-+${pkgs.coreutils}/bin/rm -rf -- ${units.literal wanted}";
      # Pushes may come faster than systemd starts a unit by itself.
      unitConfig.StartLimitIntervalSec = 0;
    };
  };
}
