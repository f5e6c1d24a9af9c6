# Modules: options, and definitions with conditions and priorities.
lib:
let
  inherit (builtins)
    attrNames
    concatMap
    elem
    filter
    foldl'
    isAttrs
    isFunction
    isPath
    length
    mapAttrs
    ;

  showOption = builtins.concatStringsSep ".";

  usual = 100;
  ofDefault = 1000;

  hasType = type: value: isAttrs value && (value._type or null) == type;

  # A definition as sets of attributes. Its conditions go to the attributes: the
  # names must be known before a condition that rests on other options is.
  attributesOf =
    value:
    if hasType "if" value then
      map (mapAttrs (_: lib.mkIf value.condition)) (attributesOf value.content)
    else if hasType "merge" value then
      concatMap attributesOf value.contents
    else if hasType "override" value then
      map (mapAttrs (_: lib.mkOverride value.priority)) (attributesOf value.content)
    else
      [ value ];

  # A definition as values with their priorities. What has one is not looked
  # at: it may be a default that nobody needs, and be an error.
  plain =
    value:
    if hasType "if" value then
      if value.condition then plain value.content else [ ]
    else if hasType "merge" value then
      concatMap plain value.contents
    else if hasType "override" value then
      [
        {
          inherit (value) priority;
          value = value.content;
        }
      ]
    else
      [
        {
          priority = usual;
          inherit value;
        }
      ];

  # The values of the strongest definitions, made one.
  mergeDefinitions =
    type: path: definitions:
    let
      found = concatMap plain definitions;
      best = foldl' (least: one: if one.priority < least then one.priority else least) 9999 found;
      values = map (one: one.value) (filter (one: one.priority == best) found);
      bad = filter (value: !type.check value) values;
    in
    if found == [ ] then
      throw "The option `${showOption path}' was accessed but has no value defined. Try setting the option."
    else if bad != [ ] then
      throw "A definition for option `${showOption path}' is not of type `${type.name}'"
    else
      type.merge path values;

  # Every module that these lead to, each once, with its parts apart.
  collect =
    args: modules:
    let
      parts =
        fallback: given:
        let
          value = if isPath given || builtins.isString given then import given else given;
          module = if isFunction value then value args else value;
          isWhole = module ? options || module ? config;
        in
        {
          key = module.key or (if isPath given then toString given else fallback);
          imports = module.imports or [ ];
          options = module.options or { };
          freeformType = module.freeformType or null;
          config =
            if isWhole then
              module.config or { }
            else
              removeAttrs module [
                "_file"
                "freeformType"
                "imports"
                "key"
              ];
        };
      numbered =
        prefix: list:
        builtins.genList (i: parts "${prefix}:${toString i}" (builtins.elemAt list i)) (length list);
    in
    builtins.genericClosure {
      startSet = numbered "" modules;
      operator = module: numbered module.key module.imports;
    };

  isOption = hasType "option";

  # The values of a tree of options. What no option is declared for is an error,
  # or of the free form.
  valuesOf =
    free: path: options: definitions:
    let
      sets = concatMap attributesOf definitions;
      named = name: map (set: set.${name}) (filter (set: set ? ${name}) sets);
      known = mapAttrs (
        name: option:
        let
          here = path ++ [ name ];
        in
        if isOption option then
          (option.apply or (value: value)) (mergeDefinitions option.type here (
            named name ++ (if option ? default then [ (lib.mkOverride 1500 option.default) ] else [ ])
          ))
        else
          valuesOf null here option (named name)
      ) options;
      others = filter (name: !(options ? ${name})) (concatMap attrNames sets);
      freely = builtins.listToAttrs (
        map (name: {
          inherit name;
          value = mergeDefinitions free (path ++ [ name ]) (named name);
        }) others
      );
    in
    if others == [ ] then
      known
    else if free == null then
      throw "The option `${showOption (path ++ [ (builtins.head others) ])}' does not exist."
    else
      known // freely;

  option = type: given: given // { _type = type; };
in
{
  inherit mergeDefinitions showOption;

  evalModules =
    {
      modules,
      specialArgs ? { },
      prefix ? [ ],
    }:
    let
      args = specialArgs // {
        inherit lib;
        inherit (result) config options;
      };
      all = collect args modules;
      free = foldl' (found: module: if module.freeformType == null then found else module.freeformType) null all;
      result = {
        options = import ./declarations.nix lib (map (module: module.options) all);
        config = valuesOf free prefix result.options (map (module: module.config) all);
      };
    in
    result;

  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  mkDefault = lib.mkOverride ofDefault;
  mkForce = lib.mkOverride 50;

  mkOption = option "option";
  mkEnableOption =
    text:
    lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = "Whether to enable ${text}.";
    };
  mkPackageOption =
    pkgs: name: _:
    lib.mkOption {
      type = lib.types.package;
      default = pkgs.${name};
      defaultText = lib.literalExpression "pkgs.${name}";
      description = "The ${name} package to use.";
    };
  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
  literalMD = text: {
    _type = "literalMD";
    inherit text;
  };
}
