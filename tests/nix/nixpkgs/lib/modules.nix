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
  ofOption = 1500;

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

  bestOf = foldl' (least: one: if one.priority < least then one.priority else least) 9999;

  # The values of the strongest definitions, made one.
  mergeDefinitions =
    type: path: definitions:
    let
      found = concatMap plain definitions;
      best = bestOf found;
      values = map (one: one.value) (filter (one: one.priority == best) found);
      bad = filter (value: !type.check value) values;
    in
    if found == [ ] then
      throw "The option `${showOption path}' was accessed but has no value defined. Try setting the option."
    else if bad != [ ] then
      throw "A definition for option `${showOption path}' is not of type `${type.description}'"
    else
      type.merge path values;

  # A module that is made for another kind of system is refused.
  checkClass =
    class: file: module:
    if class == null || module._class or class == class then
      module
    else
      throw "The module `${file}' (class: \"${module._class}\") cannot be imported into a module evaluation that expects class \"${class}\".";

  # Every module that these lead to, each once, with its parts apart.
  collect =
    class: args: modules:
    let
      parts =
        fallback: given:
        let
          value = if isPath given || builtins.isString given then import given else given;
          made = if isFunction value then value args else value;
          file = made._file or (if isPath given then toString given else fallback);
          module = checkClass class file made;
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
                "_class"
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

  # The definitions below a name.
  named = name: sets: map (set: set.${name}) (filter (set: set ? ${name}) sets);

  # The options of a tree, each with its value and the priority of what that is
  # made of. Which there are rests on no definition: modules ask for that.
  optionsOf =
    path: declared: definitions:
    let
      sets = concatMap attributesOf definitions;
    in
    mapAttrs (
      name: option:
      (if isOption option then evaluated else optionsOf) (path ++ [ name ]) option (named name sets)
    ) declared;

  evaluated =
    path: option: given:
    let
      definitions = given ++ (if option ? default then [ (lib.mkOverride ofOption option.default) ] else [ ]);
    in
    option
    // {
      value = (option.apply or (value: value)) (mergeDefinitions option.type path definitions);
      highestPrio = bestOf (concatMap plain definitions);
    };

  # The values of a tree of options. What no option is declared for is an error,
  # or of the free form.
  valuesOf =
    free: path: options: definitions:
    let
      sets = concatMap attributesOf definitions;
      known = mapAttrs (
        name: option:
        if isOption option then option.value else valuesOf null (path ++ [ name ]) option (named name sets)
      ) options;
      others = filter (name: !(options ? ${name})) (concatMap attrNames sets);
      freely = builtins.listToAttrs (
        map (name: {
          inherit name;
          value = mergeDefinitions free (path ++ [ name ]) (named name sets);
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
      class ? null,
    }:
    let
      args = specialArgs // {
        inherit lib;
        inherit (result) config options;
      };
      all = collect class args modules;
      free = foldl' (found: module: if module.freeformType == null then found else module.freeformType) null all;
      definitions = map (module: module.config) all;
      declared = import ./declarations.nix lib (map (module: module.options) all);
      result = {
        options = optionsOf prefix declared definitions;
        config = valuesOf free prefix result.options definitions;
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
  mkOptionDefault = lib.mkOverride ofOption;
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
