using Polymath.Files;
using Polymath.Text.PreTokenizers;

namespace Polymath.Text.HuggingFace;

/// <summary>
/// What a tokenizer.json does to a text before joining: its normalizers and pre-tokenizers, recognised as one of the
/// ways this engine knows. Anything else is refused by name rather than encoded wrongly.
/// </summary>
internal sealed class TextSteps
{
    private const string Contractions = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Behind = @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private readonly string _file;
    private readonly List<string> _order = []; // pre-tokenizers met, for recognition and messages
    private string? _pattern;
    private bool _spacesWritten; // spaces become U+2581

    private TextSteps(string file) => _file = file;

    /// <summary>The splitter of a byte-level vocabulary; null for one that writes spaces as U+2581.</summary>
    public PreTokenizer? Splitter { get; private set; }

    /// <summary>Where a vocabulary that writes spaces as U+2581 puts one in front.</summary>
    public MetaspaceBpe.SpacePrefix Prefix { get; private set; }

    /// <summary>Reads the steps of a file.</summary>
    /// <exception cref="ModelFormatException">A step that is not known.</exception>
    public static TextSteps Read(JsonValue root)
    {
        var steps = new TextSteps(root.File);
        if (root.Find("normalizer") is { } normalizer)
            steps.AddNormalizer(normalizer);
        if (root.Find("pre_tokenizer") is { } splitter)
            steps.AddSplitter(splitter);
        steps.Recognise();
        return steps;
    }

    private void AddNormalizer(JsonValue step)
    {
        string type = step.Get("type").Text();
        switch (type)
        {
            case "Sequence":
                foreach (JsonValue inner in step.Get("normalizers").Items())
                    AddNormalizer(inner);
                break;
            case "Prepend" when step.Get("prepend").Text() == "\u2581":
                Prefix = MetaspaceBpe.SpacePrefix.Always;
                break;
            case "Replace" when step.Get("pattern").Find("String")?.Text() == " " && step.Get("content").Text() == "\u2581":
                _spacesWritten = true;
                break;
            case "NFC": // Text is taken as it comes: nearly all of it is in this form.
                break;
            default:
                throw new ModelFormatException($"{_file}: the normalizer {type} at {step.Place} is not supported");
        }
    }

    private void AddSplitter(JsonValue step)
    {
        string type = step.Get("type").Text();
        switch (type)
        {
            case "Sequence":
                foreach (JsonValue inner in step.Get("pretokenizers").Items())
                    AddSplitter(inner);
                return;
            case "ByteLevel":
                if (step.Flag("add_prefix_space", true))
                    throw new ModelFormatException($"{_file}: {step.Place}.add_prefix_space is not supported");
                _order.Add(step.Flag("use_regex", true) ? "ByteLevel" : "Bytes");
                return;
            case "Digits":
                _order.Add(step.Flag("individual_digits", false) ? "Digit" : "Digits");
                return;
            case "Split" when step.Get("pattern").Find("Regex") is { } regex:
                _pattern = regex.Text();
                CheckIsolates(step);
                _order.Add("Split");
                return;
            case "Split" when step.Get("pattern").Find("String")?.Text() == " " && _spacesWritten:
                return; // no space is left to split at
            case "Metaspace":
                AddMetaspace(step);
                return;
            default:
                throw new ModelFormatException($"{_file}: the pre-tokenizer {type} at {step.Place} is not supported");
        }
    }

    /// <summary>The pieces must be the matches and what is between them.</summary>
    private void CheckIsolates(JsonValue step)
    {
        string behaviour = step.Get("behavior").Text();
        bool inverted = step.Flag("invert", false);
        if ((behaviour, inverted) is not (("Isolated", false) or ("Removed", true)))
            throw new ModelFormatException($"{_file}: {step.Place} with behavior {behaviour} is not supported");
    }

    private void AddMetaspace(JsonValue step)
    {
        if (step.Get("replacement").Text() != "\u2581" || step.Flag("split", true))
            throw new ModelFormatException($"{_file}: {step.Place} is not supported: only U+2581 without splitting is");
        string scheme = step.Find("prepend_scheme")?.Text() ?? "always";
        Prefix = scheme switch
        {
            "always" => MetaspaceBpe.SpacePrefix.AlwaysUnlessSpace,
            "first" => MetaspaceBpe.SpacePrefix.FirstUnlessSpace,
            "never" => MetaspaceBpe.SpacePrefix.None,
            _ => throw new ModelFormatException($"{_file}: {step.Place}.prepend_scheme is {scheme}, which is not known"),
        };
        _spacesWritten = true;
    }

    private void Recognise()
    {
        string order = string.Join(" + ", _order);
        if (_spacesWritten && order.Length == 0)
            return;
        Splitter = (order, _spacesWritten) switch
        {
            ("ByteLevel", false) => new Gpt2(digitsAlone: false),
            ("Digit + ByteLevel", false) => new Gpt2(digitsAlone: true),
            ("Split + Bytes", false) => ByPattern(),
            ("", false) => throw new ModelFormatException($"{_file}: neither a ByteLevel pre-tokenizer nor U+2581 for spaces"),
            _ => throw new ModelFormatException($"{_file}: the pre-tokenizers {order} together are not supported"),
        };
    }

    private PreTokenizer ByPattern() => _pattern switch
    {
        @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+" => new Gpt2(digitsAlone: false),
        Contractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + Behind => new Llama3(digits: 3),
        Contractions + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + Behind => new Llama3(digits: 1),
        _ => throw new ModelFormatException($"{_file}: the split pattern {Shorten(_pattern!)} is not supported"),
    };

    private static string Shorten(string pattern) =>
        (pattern.Length <= 300 ? pattern : pattern[..300] + "…").ReplaceLineEndings(" ");
}
