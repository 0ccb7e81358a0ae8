using Polymath.Files;
using Polymath.Text.PreTokenizers;

namespace Polymath.Text.HuggingFace;

/// <summary>
/// What a tokenizer.json does to a text before its model sees it: its normalizers and pre-tokenizers, each known by its
/// name. Anything else is refused by name rather than encoded wrongly.
/// </summary>
internal sealed class TextSteps
{
    private readonly string _file;
    private readonly List<PreTokenizer> _stages = [];
    private readonly List<string> _keys = []; // a short name of each stage
    private bool _metaspace; // a pre-tokenizer writes spaces as U+2581

    private TextSteps(string file) => _file = file;

    /// <summary>What changes the text.</summary>
    public NormalizerSteps Normalizer { get; } = new();

    /// <summary>What cuts it; null when nothing does.</summary>
    public PreTokenizer? Splitter => _keys switch
    {
        [] => null,
        ["gpt2"] => new Gpt2(digitsAlone: false),
        ["digit", "gpt2"] => new Gpt2(digitsAlone: true),
        _ => _stages.Count == 1 ? _stages[0] : new Staged([.. _stages]),
    };

    /// <summary>Names of the stages in a row.</summary>
    public string Keys => string.Join('+', _keys);

    /// <summary>The model sees bytes.</summary>
    public bool ByteLevel { get; private set; }

    /// <summary>A text of a byte-level model that does not start with a space gets one.</summary>
    public bool SpaceInFront { get; private set; }

    /// <summary>Spaces between the pieces are dropped.</summary>
    public bool DropsSpaces { get; private set; }

    /// <summary>Spaces become U+2581.</summary>
    public bool WritesSpaces => _metaspace || Normalizer.WritesSpaces;

    /// <summary>Where a vocabulary that writes spaces as U+2581 puts one in front.</summary>
    public MetaspaceBpe.SpacePrefix Prefix { get; private set; }

    /// <summary>Nothing joins over a space.</summary>
    public bool CutsAtSpaces { get; private set; }

    /// <summary>Reads the steps of a file.</summary>
    /// <exception cref="ModelFormatException">A step that is not known.</exception>
    public static TextSteps Read(JsonValue root)
    {
        var steps = new TextSteps(root.File);
        if (root.Find("normalizer") is { } normalizer)
            steps.Normalizer.Add(normalizer);
        if (steps.Normalizer.PrependsSpace)
            steps.Prefix = MetaspaceBpe.SpacePrefix.Always;
        if (root.Find("pre_tokenizer") is { } splitter)
            steps.Add(splitter);
        return steps;
    }

    private void Add(JsonValue step)
    {
        string type = step.Get("type").Text();
        if (_metaspace)
            throw new ModelFormatException($"{_file}: the pre-tokenizer {type} at {step.Place} behind Metaspace is not supported");
        switch (type)
        {
            case "Sequence":
                foreach (JsonValue inner in step.Get("pretokenizers").Items())
                    Add(inner);
                break;
            case "ByteLevel":
                AddByteLevel(step);
                break;
            case "Digits":
                bool single = step.Flag("individual_digits", false);
                Stage(single ? "digit" : "digits", new Runs<ScalarSets.Numbers>(most: single ? 1 : int.MaxValue));
                break;
            case "Punctuation":
                AddPunctuation(step);
                break;
            case "Split":
                AddSplit(step);
                break;
            case "Metaspace":
                AddMetaspace(step);
                break;
            case "Whitespace":
                StageWithoutSpaces("words-and-signs", new WordsAndSigns());
                break;
            case "WhitespaceSplit":
                StageWithoutSpaces("no-spaces", new Runs<ScalarSets.NoSpaces>());
                break;
            case "BertPreTokenizer":
                StageWithoutSpaces("bert", new Bert());
                break;
            default:
                throw new ModelFormatException($"{_file}: the pre-tokenizer {type} at {step.Place} is not supported");
        }
    }

    private void Stage(string key, PreTokenizer stage)
    {
        _keys.Add(key);
        _stages.Add(stage);
    }

    private void StageWithoutSpaces(string key, PreTokenizer stage)
    {
        Stage(key, stage);
        DropsSpaces = true;
    }

    private void AddByteLevel(JsonValue step)
    {
        ByteLevel = true;
        if (step.Flag("add_prefix_space", true))
        {
            if (_stages.Count > 0)
                throw new ModelFormatException($"{_file}: {step.Place}.add_prefix_space behind other steps is not supported");
            SpaceInFront = true;
        }

        if (step.Flag("use_regex", true))
            Stage("gpt2", new Gpt2(digitsAlone: false));
    }

    private void AddPunctuation(JsonValue step)
    {
        string behaviour = step.Find("behavior")?.Text() ?? "Isolated";
        if (behaviour is not ("Isolated" or "Contiguous"))
            throw new ModelFormatException($"{_file}: {step.Place} with behavior {behaviour} is not supported");
        bool single = behaviour == "Isolated";
        Stage(single ? "sign" : "punctuation", new Runs<Bert.Signs>(most: single ? 1 : int.MaxValue));
    }

    private void AddSplit(JsonValue step)
    {
        JsonValue pattern = step.Get("pattern");
        if (pattern.Find("String")?.Text() == " " && Normalizer.WritesSpaces)
            return; // no space is left to split at

        // The pieces must be the matches and what is between them.
        string behaviour = step.Get("behavior").Text();
        bool inverted = step.Flag("invert", false);
        if ((behaviour, inverted) is not (("Isolated", false) or ("Removed", true)))
            throw new ModelFormatException($"{_file}: {step.Place} with behavior {behaviour} is not supported");
        string text = pattern.Get("Regex").Text();
        (string key, PreTokenizer rule) = KnownPatterns.Find(text)
            ?? throw new ModelFormatException($"{_file}: the split pattern {Shorten(text)} is not supported");
        Stage(key, rule);
    }

    private void AddMetaspace(JsonValue step)
    {
        if (step.Get("replacement").Text() != "\u2581")
            throw new ModelFormatException($"{_file}: {step.Place} is not supported: only U+2581 is");
        string scheme = step.Find("prepend_scheme")?.Text() ?? (step.Flag("add_prefix_space", true) ? "always" : "never");
        Prefix = scheme switch
        {
            "always" => MetaspaceBpe.SpacePrefix.AlwaysUnlessSpace,
            "first" => MetaspaceBpe.SpacePrefix.FirstUnlessSpace,
            "never" => MetaspaceBpe.SpacePrefix.None,
            _ => throw new ModelFormatException($"{_file}: {step.Place}.prepend_scheme is {scheme}, which is not known"),
        };
        CutsAtSpaces = step.Flag("split", true);
        _metaspace = true;
    }

    private static string Shorten(string pattern) =>
        (pattern.Length <= 300 ? pattern : pattern[..300] + "…").ReplaceLineEndings(" ");
}
