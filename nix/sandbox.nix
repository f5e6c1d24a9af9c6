# The sandbox of our services (systemd.exec(5)); exposure 2.0 or less. The service
# that syncs and the one with Vault's token share it.
{
  CapabilityBoundingSet = "";
  DevicePolicy = "closed";
  KeyringMode = "private";
  # No key or token in a dump.
  LimitCORE = 0;
  LockPersonality = true;
  NoNewPrivileges = true;
  PrivateDevices = true;
  PrivateMounts = true;
  PrivateTmp = true;
  ProtectClock = true;
  ProtectControlGroups = true;
  ProtectHome = "read-only";
  ProtectHostname = true;
  ProtectKernelLogs = true;
  ProtectKernelModules = true;
  ProtectKernelTunables = true;
  ProtectProc = "invisible";
  ProtectSystem = "strict";
  RemoveIPC = true;
  RestrictAddressFamilies = [
    "AF_UNIX"
    "AF_INET"
    "AF_INET6"
  ];
  RestrictNamespaces = true;
  RestrictRealtime = true;
  RestrictSUIDSGID = true;
  SystemCallArchitectures = "native";
  # V8 protects its own memory with keys (pkeys(7)), and compiles at run time:
  # no MemoryDenyWriteExecute.
  SystemCallFilter = [
    "@system-service"
    "@pkey"
  ];
  UMask = "0077";
}
