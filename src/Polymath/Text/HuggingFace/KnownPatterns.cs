using Polymath.Text.PreTokenizers;

namespace Polymath.Text.HuggingFace;

/// <summary>The patterns of Split steps in tokenizer.json, known by their text, and the rule that is each written out by hand.</summary>
internal static class KnownPatterns
{
    private const string Contractions = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Behind = @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Possessive = @"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|";
    private const string PossessiveBehind = @"| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
    private const string Lead = @"[^\r\n\p{L}\p{N}]?";
    private const string Upper = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]";
    private const string Lower = @"[\p{Ll}\p{Lm}\p{Lo}\p{M}]";
    private const string CasedBehind = @"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string DeepSeek =
        @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^" + "\r\n" + @"\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[" + "\r\n"
        + @"]*|\s*[" + "\r\n" + @"]+|\s+(?!\S)|\s+";

    private static readonly Dictionary<string, (string Key, Func<PreTokenizer> Make)> Known = Make();

    /// <summary>The rule for a pattern and a short name for it; null when the pattern is not known.</summary>
    public static (string Key, PreTokenizer Rule)? Find(string pattern) =>
        Known.TryGetValue(pattern, out (string Key, Func<PreTokenizer> Make) found) ? (found.Key, found.Make()) : null;

    /// <summary>The name under tokenizer.ggml.pre for the keys of all steps in a row; null when there is none.</summary>
    public static string? GgufName(string keys, bool wholeTokensFirst) => keys switch
    {
        "gpt2" => "gpt-2",
        "digit+gpt2" => "smollm",
        "llama3" => wholeTokensFirst ? "llama-bpe" : "dbrx",
        "qwen2" => "qwen2",
        "qwen35" => "qwen35",
        "gpt4o" => "gpt-4o",
        "tekken" => "tekken",
        "seed-coder" => "seed-coder",
        "numbers3+llama3-long" => "minicpm5",
        "numbers3+kana+deepseek3" => "deepseek-v3",
        "breaks+space-letters+space-punctuation+east+digit" => "deepseek-coder",
        "punctuation+gpt2+digits+three" => "falcon",
        _ => null,
    };

    private static Dictionary<string, (string Key, Func<PreTokenizer> Make)> Make()
    {
        var known = new Dictionary<string, (string, Func<PreTokenizer>)>(StringComparer.Ordinal);
        void Add(string key, Func<PreTokenizer> make, params string[] patterns)
        {
            foreach (string pattern in patterns)
                known.Add(pattern, (key, make));
        }

        string Words(string digits) => Contractions + "|" + Lead + @"\p{L}+|\p{N}" + digits + Behind;
        string Cased(string ending, string digits) =>
            Lead + Upper + "*" + Lower + "+" + ending + "|" + Lead + Upper + "+" + Lower + "*" + ending + @"|\p{N}" + digits + CasedBehind;
        Add("gpt2", () => new Gpt2(digitsAlone: false),
            @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
            @"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+");
        Add("llama3", () => PreTokenizerTable.Llama3(3), Words("{1,3}"), Possessive + @"\p{N}{1,3}" + PossessiveBehind);
        Add("llama3-long", () => PreTokenizerTable.Llama3(int.MaxValue), Words("+"));
        Add("qwen2", () => PreTokenizerTable.Llama3(1), Words(""), Possessive + @"\p{N}" + PossessiveBehind);
        Add("qwen35", PreTokenizerTable.Qwen35,
            Contractions + "|" + Lead + @"[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+");
        Add("gpt4o", () => PreTokenizerTable.Gpt4o(contractions: true, digits: 3), Cased(Contractions + "?", "{1,3}"));
        Add("tekken", () => PreTokenizerTable.Gpt4o(contractions: false, digits: 1), Cased("", ""));
        Add("numbers3", () => new Runs<ScalarSets.Numbers>(most: 3), @"\p{N}{1,3}");
        Add("digit", () => new Runs<ScalarSets.Numbers>(most: 1), @"\p{N}");
        Add("digits", () => new Runs<ScalarSets.Numbers>(), @"\p{N}+");
        Add("three", () => new Runs<ScalarSets.Digits>(least: 3, most: 3), "[0-9][0-9][0-9]");
        Add("kana", () => new Runs<ScalarSets.ChineseAndKana>(), "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+");
        Add("east", () => new Runs<ScalarSets.EastAsian>(new ScalarSets.EastAsian(spaces: true)), "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+");
        Add("deepseek3", () => new DeepSeek3(breaksAlone: false), DeepSeek, DeepSeek.Replace("\r\n", @"\r\n", StringComparison.Ordinal));
        Add("breaks", () => new Runs<ScalarSets.LineBreaks>(most: 1), "[\r\n]", @"[\r\n]");
        Add("space-letters", () => new Runs<ScalarSets.Letters>(spaceBefore: true), @"\s?\p{L}+");
        Add("space-punctuation", () => new Runs<ScalarSets.Punctuation>(spaceBefore: true), @"\s?\p{P}+");
        return known;
    }
}
