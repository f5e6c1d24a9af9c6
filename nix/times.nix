# The times of services.gitops that systemd reads, each with its option, for the
# assertions and for the build of the configuration.
{ cfg, lib }:
{
  spans =
    lib.optional (cfg.dates == null) {
      option = "services.gitops.frequency";
      value = cfg.frequency;
      kind = "positive";
      example = "30m";
    }
    ++ [
      {
        option = "services.gitops.randomizedDelay";
        value = cfg.randomizedDelay;
        kind = "zero";
        example = "1m";
      }
      {
        option = "services.gitops.timeout";
        value = cfg.timeout;
        kind = "infinite";
        example = "12h";
      }
    ];

  dates = lib.optionals (cfg.dates != null) (lib.toList cfg.dates);
}
