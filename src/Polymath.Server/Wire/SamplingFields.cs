using System.Globalization;
using System.Text.Json;
using Polymath.Generation;

namespace Polymath.Server.Wire;

/// <summary>The fields by which OpenAI's requests say how much is written and how it is chosen, with a few of llama.cpp's and vLLM's.</summary>
internal static class SamplingFields
{
    private const int MostStops = 4, MostStopIds = 128, MostBiases = 1024;

    /// <summary>The options that a request asks for; what it does not name stays as the engine has it.</summary>
    /// <exception cref="ApiException">A field is wrong.</exception>
    public static GenerationOptions Read(Fields fields, int vocabulary)
    {
        var defaults = new SamplingOptions();
        string limit = fields["max_completion_tokens"] is null ? "max_tokens" : "max_completion_tokens";
        return new GenerationOptions
        {
            MaxTokens = (int)(fields.Integer(limit, 1, int.MaxValue) ?? -1),
            Stop = Stops(fields, "stop", MostStops),
            StopIds = fields.Ids("stop_token_ids", MostStopIds, vocabulary),
            Sampling = defaults with
            {
                Temperature = fields.Number("temperature", 0, 2) ?? defaults.Temperature,
                TopP = fields.Number("top_p", 0, 1) ?? defaults.TopP,
                TopK = (int)(fields.Integer("top_k", -1, int.MaxValue) is { } k ? Math.Max(0, k) : defaults.TopK),
                MinP = fields.Number("min_p", 0, 1) ?? defaults.MinP,
                RepeatPenalty = fields.Number("repeat_penalty", 0.1, 10) ?? fields.Number("repetition_penalty", 0.1, 10) ?? defaults.RepeatPenalty,
                FrequencyPenalty = fields.Number("frequency_penalty", -2, 2) ?? 0,
                PresencePenalty = fields.Number("presence_penalty", -2, 2) ?? 0,
                LogitBias = Biases(fields, vocabulary),
                Seed = fields.Integer("seed") is { } seed ? unchecked((ulong)seed) : null,
            },
        };
    }

    /// <summary>Texts that end the answer.</summary>
    public static string[] Stops(Fields fields, string name, int most)
    {
        string[] stops = fields.Texts(name, most);
        return stops.All(stop => stop.Length > 0) ? stops : throw fields.Wrong(name, "a stop text is empty");
    }

    /// <summary>The same with another seed, so that answers to one question differ; the first has the seed itself.</summary>
    public static GenerationOptions Numbered(GenerationOptions options, int number) => options.Sampling.Seed is { } seed && number > 0
        ? options with { Sampling = options.Sampling with { Seed = unchecked(seed + (ulong)number) } }
        : options;

    private static Dictionary<int, float> Biases(Fields fields, int vocabulary)
    {
        var biases = new Dictionary<int, float>();
        if (fields.Object("logit_bias") is not { } given)
            return biases;
        foreach ((string name, JsonElement _) in given.All())
        {
            if (biases.Count == MostBiases)
                throw fields.Wrong("logit_bias", $"has more than {MostBiases} tokens");
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int id) || id >= vocabulary)
                throw fields.Wrong("logit_bias", $"its names are tokens from 0 to {vocabulary - 1}");
            biases[id] = given.Number(name, -100, 100) ?? 0;
        }

        return biases;
    }
}
