namespace Polymath.Text.PreTokenizers;

/// <summary>A splitter and what else its name implies for a vocabulary.</summary>
/// <param name="Splitter">Cuts the text.</param>
internal readonly record struct PreTokenizerEntry(PreTokenizer Splitter)
{
    /// <summary>A piece that is a token is that token, whatever the merges would make of it.</summary>
    public bool WholeTokensFirst { get; init; }

    /// <summary>A text that does not start with a space gets one.</summary>
    public bool SpaceInFront { get; init; }

    /// <summary>Texts begin with the begin token unless the file says otherwise.</summary>
    public bool AddsBegin { get; init; }
}

/// <summary>The names that tokenizer.ggml.pre may have, and the rule that each stands for. To add one: a line here.</summary>
internal static class PreTokenizerTable
{
    private static readonly Dictionary<string, Func<PreTokenizerEntry>> Entries = Make();

    /// <summary>All names, in alphabetical order.</summary>
    public static IEnumerable<string> Names => Entries.Keys.Order(StringComparer.Ordinal);

    /// <summary>All names that are for byte-level BPE, and those for BPE over characters.</summary>
    public static IEnumerable<string> AllNames => [.. Names, "gemma4", "granite-embed-multi-311m", "sarvam-moe"];

    /// <summary>The rule of a vocabulary; null when the name is not known.</summary>
    public static PreTokenizerEntry? Find(string name) => Entries.TryGetValue(name, out Func<PreTokenizerEntry>? make) ? make() : null;

    /// <summary>Llama 3's words, which most of the others vary.</summary>
    public static Words Llama3(int digits) => new() { Digits = digits };

    /// <summary>The words of GPT-4o as its own pattern writes them: case by Unicode, marks inside.</summary>
    public static Words Gpt4o(bool contractions, int digits) => new()
    {
        Digits = digits,
        Case = Words.Casing.Unicode,
        Marks = true,
        Contracted = contractions ? Words.Contractions.Behind : Words.Contractions.None,
        Behind = Words.Trail.BreaksAndSlashes,
    };

    /// <summary>The words of Qwen 3.5: marks inside.</summary>
    public static Words Qwen35() => new() { Digits = 1, Marks = true, RestWithoutMarks = true };

    private static Dictionary<string, Func<PreTokenizerEntry>> Make()
    {
        var all = new Dictionary<string, Func<PreTokenizerEntry>>(StringComparer.Ordinal);
        void Add(string names, Func<PreTokenizer> make, bool whole = false, bool begins = false)
        {
            foreach (string name in names.Split(' '))
                all.Add(name, () => new PreTokenizerEntry(make()) { WholeTokensFirst = whole, AddsBegin = begins });
        }

        Add("default", DefaultSplit.Make);
        Add("gpt-2 phi-2 mpt olmo jais trillion granite-docling gigachat modern-bert exaone4 mellum a.x-4.0 jina-es jina-de jina-v2-es "
            + "jina-v2-de jina-v1-en jina-v2-code roberta-bpe", () => new Gpt2(digitsAlone: false));
        Add("starcoder refact command-r smollm codeshell exaone minerva-7b mellum2", () => new Gpt2(digitsAlone: true));
        Add("llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", () => Llama3(3), whole: true, begins: true);
        Add("dbrx smaug-bpe chatglm-bpe glm4", () => Llama3(3));
        Add("qwen2 stablelm2 hunyuan megrez deepseek-r1-qwen grok-2 solar-open kormo f2llmv2 bailingmoe bailingmoe2 llada-moe", () => Llama3(1));
        Add("qwen35", Qwen35);
        Add("jais-2", () => new Words { Digits = 3, SpacesByPowers = true });
        Add("minicpm5", () => new Staged(new Runs<ScalarSets.Numbers>(most: 3), Llama3(int.MaxValue)), whole: true);
        Add("laguna", () => OtherSplits.LineFeeds(Llama3(1)));
        Add("ufakzeka", () => new Words { Digits = 1, Contracted = Words.Contractions.None });
        Add("seed-coder", () => new Words { Digits = 1, Behind = Words.Trail.None });
        Add("exaone-moe", () => new Words { Digits = 1, SpacedWords = true, Behind = Words.Trail.OneBreakOrSlash });
        Add("tekken", () => CasedAscii(Words.Contractions.None, digits: 1, marks: false), whole: true, begins: true);
        Add("gpt-4o llama4 kanana2 talkie minimax-m2", () => CasedAscii(Words.Contractions.Behind, digits: 3, marks: false));
        Add("granite-embed-multi-97m", () => CasedAscii(Words.Contractions.Behind, digits: 3, marks: true), whole: true);
        Add("tiny_aya cohere2moe", () => new Staged(new DigitGroups(joinedToText: true), new Words
        {
            Digits = 3,
            Marks = true,
            Contracted = Words.Contractions.Behind,
            Behind = Words.Trail.BreaksAndSlashes,
        }));
        Add("kimi-k2", () => new Words { Digits = 3, HanApart = true, Contracted = Words.Contractions.Behind });
        Add("deepseek-llm", () => DeepSeekLlm.Make(wideSpaces: false));
        Add("deepseek-coder", () => new Staged(
            new Runs<ScalarSets.LineBreaks>(most: 1), new Runs<ScalarSets.Letters>(spaceBefore: true),
            new Runs<ScalarSets.Punctuation>(spaceBefore: true), new Runs<ScalarSets.EastAsian>(), new Runs<ScalarSets.Numbers>(most: 1)));
        Add("deepseek-v3 hunyuan-dense joyai-llm hy_v4", DeepSeek3.Make);
        Add("spark2_5", DeepSeek3.MakeSpark);
        Add("youtu", OtherSplits.Youtu, whole: true);
        Add("falcon", DefaultSplit.MakeFalcon);
        Add("poro-chat bloom gpt3-finnish", () => new Bloom());
        Add("viking", () => new Staged(new Bloom(), new Runs<ScalarSets.Numbers>(most: 1)));
        Add("superbpe", DigitGroups.MakeSuper);
        Add("afmoe", OtherSplits.Afmoe);
        Add("chameleon", Chameleon.Make, begins: true);
        return all;
    }

    /// <summary>The words of GPT-4o as the reference engine of GGUF files writes them: case by ASCII.</summary>
    private static Words CasedAscii(Words.Contractions contractions, int digits, bool marks) => new()
    {
        Digits = digits,
        Case = Words.Casing.Ascii,
        Marks = marks,
        Contracted = contractions,
        Behind = Words.Trail.BreaksAndSlashes,
    };
}
