using System.Text.Json;
using Polymath.Generation;
using Polymath.Text;

namespace Polymath.Server.Wire;

/// <summary>A request to go on with texts, in OpenAI's older form.</summary>
/// <param name="Prompts">The prompts as ids.</param>
/// <param name="Generation">How to go on.</param>
/// <param name="Count">How many times for each.</param>
/// <param name="Echo">Whether the prompt is part of the text.</param>
/// <param name="Stream">Whether the texts come in pieces.</param>
/// <param name="IncludeUsage">Whether a stream ends with the count of tokens.</param>
internal sealed record CompletionRequest(
    IReadOnlyList<int[]> Prompts, GenerationOptions Generation, int Count, bool Echo, bool Stream, bool IncludeUsage)
{
    private const int MostPrompts = 64, MostTexts = 64, MostIds = 4 << 20, MostCount = 8, MostLogProbs = 20;

    /// <summary>Reads a request.</summary>
    /// <exception cref="ApiException">A field is wrong.</exception>
    public static CompletionRequest Read(Fields fields, ServedModel served)
    {
        _ = fields.Text("model");
        if (!string.IsNullOrEmpty(fields.Text("suffix")))
            throw fields.Wrong("suffix", "filling in is not supported");
        GenerationOptions generation = SamplingFields.Read(fields, served.Vocabulary) with
        {
            LogProbs = (int?)fields.Integer("logprobs", 0, MostLogProbs),
        };
        int count = (int)(fields.Integer("n", 1, MostCount) ?? 1);
        bool echo = fields.Flag("echo") ?? false, stream = fields.Flag("stream") ?? false;
        bool usage = fields.Object("stream_options")?.Flag("include_usage") ?? false;
        IReadOnlyList<int[]> prompts = ReadPrompts(fields, served);
        if (prompts.Count * count > MostTexts)
            throw fields.Wrong("prompt", $"asks for more than {MostTexts} texts");
        return new CompletionRequest(prompts, generation, count, echo, stream, usage);
    }

    private static IReadOnlyList<int[]> ReadPrompts(Fields fields, ServedModel served)
    {
        const string Name = "prompt";
        Tokenizer tokenizer = served.Chat.Model.Tokenizer;
        if (fields[Name] is not { } given)
            throw fields.Wrong(Name, "is missing");
        if (given.ValueKind == JsonValueKind.String)
            return [tokenizer.Encode(given.GetString())];
        JsonElement[] list = fields.List(Name, MostIds);
        if (list.Length == 0)
            throw fields.Wrong(Name, "is empty");
        if (list[0].ValueKind == JsonValueKind.Number)
            return [fields.Ids(Name, MostIds, served.Vocabulary)];
        if (list.Length > MostPrompts)
            throw fields.Wrong(Name, $"has more than {MostPrompts} values");
        return [.. list.Select((value, i) => value.ValueKind switch
        {
            JsonValueKind.String => tokenizer.Encode(value.GetString()),
            JsonValueKind.Array => [.. value.EnumerateArray().Select((id, j) => Fields.Id(id, $"{Name}[{i}][{j}]", served.Vocabulary))],
            _ => throw fields.Wrong($"{Name}[{i}]", "a string or an array of tokens is expected"),
        })];
    }
}
