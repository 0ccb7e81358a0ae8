using Polymath.Files;
using Polymath.Text.Normalizers;
using Polymath.Text.Unicode;

namespace Polymath.Text.HuggingFace;

/// <summary>The normalizer of a tokenizer.json as one function over texts, and what it says of spaces.</summary>
internal sealed class NormalizerSteps
{
    private const int LongestContent = 1024;

    private readonly List<Func<string, string>> _steps = [];

    /// <summary>All steps in a row; null when nothing changes a text.</summary>
    public Func<string, string>? Function => _steps.Count == 0 ? null : text =>
    {
        foreach (Func<string, string> step in _steps)
            text = step(text);
        return text;
    };

    /// <summary>Spaces become U+2581.</summary>
    public bool WritesSpaces { get; private set; }

    /// <summary>U+2581 is put in front of each text.</summary>
    public bool PrependsSpace { get; private set; }

    /// <summary>The map of characters, or null; for a GGUF file.</summary>
    public byte[]? CharacterMap { get; private set; }

    /// <summary>BERT's settings for a GGUF file.</summary>
    public (bool Lowercase, bool StripAccents)? Bert { get; private set; }

    /// <summary>Adds the step and those inside it.</summary>
    /// <exception cref="ModelFormatException">A step that is not known.</exception>
    public void Add(JsonValue step)
    {
        string type = step.Get("type").Text();
        switch (type)
        {
            case "Sequence":
                foreach (JsonValue inner in step.Get("normalizers").Items())
                    Add(inner);
                break;
            case "NFC" or "NFD" or "NFKC" or "NFKD":
                UnicodeForm form = Enum.Parse<UnicodeForm>(type[2..]);
                _steps.Add(text => UnicodeNormalization.Apply(text, form));
                break;
            case "Lowercase":
                _steps.Add(TextCleaning.Lowercase);
                break;
            case "StripAccents":
                _steps.Add(TextCleaning.StripAccents);
                break;
            case "Nmt":
                _steps.Add(TextCleaning.Nmt);
                break;
            case "BertNormalizer":
                AddBert(step);
                break;
            case "Precompiled":
                AddMap(step);
                break;
            case "Prepend":
                AddPrepend(step);
                break;
            case "Replace":
                AddReplace(step);
                break;
            case "Strip":
                AddStrip(step);
                break;
            default:
                throw new ModelFormatException($"{step.File}: the normalizer {type} at {step.Place} is not supported");
        }
    }

    private void AddBert(JsonValue step)
    {
        bool clean = step.Flag("clean_text", true);
        bool chinese = step.Flag("handle_chinese_chars", true);
        bool lowercase = step.Flag("lowercase", true);
        bool strip = step.Flag("strip_accents", lowercase);
        Bert = (lowercase, strip);
        _steps.Add(text => TextCleaning.Bert(text, clean, chinese, strip, lowercase));
    }

    private void AddMap(JsonValue step)
    {
        JsonValue stored = step.Get("precompiled_charsmap");
        try
        {
            CharacterMap = Convert.FromBase64String(stored.Text());
        }
        catch (FormatException)
        {
            throw stored.Wrong("base64");
        }

        if (Normalizers.CharacterMap.Make(CharacterMap, $"{step.File}: {stored.Place}") is { } map)
            _steps.Add(map.Apply);
    }

    private void AddPrepend(JsonValue step)
    {
        string prefix = Content(step.Get("prepend"));
        if (prefix == "\u2581")
            PrependsSpace = true;
        else
            _steps.Add(text => text.Length == 0 ? text : prefix + text);
    }

    private void AddReplace(JsonValue step)
    {
        string content = Content(step.Get("content"));
        if (step.Get("pattern").Find("String") is { } literal)
        {
            string old = Content(literal);
            if (old == " " && content == "\u2581")
                WritesSpaces = true;
            else if (old.Length > 0)
                _steps.Add(text => text.Replace(old, content, StringComparison.Ordinal));
            return;
        }

        JsonValue regex = step.Get("pattern").Get("Regex");
        if (regex.Text() != " {2,}")
            throw new ModelFormatException($"{step.File}: {regex.Place} is a pattern that is not supported");
        _steps.Add(text => TextCleaning.MergeSpaces(text, content));
    }

    private void AddStrip(JsonValue step)
    {
        bool left = step.Flag("strip_left", true);
        bool right = step.Flag("strip_right", true);
        _steps.Add(text =>
        {
            text = left ? text.TrimStart() : text;
            return right ? text.TrimEnd() : text;
        });
    }

    /// <summary>What is put into texts is short: the work per character stays bounded.</summary>
    private static string Content(JsonValue value) =>
        value.Text() is { Length: <= LongestContent } text ? text : throw value.Wrong($"at most {LongestContent} characters");
}
