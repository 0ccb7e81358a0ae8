using System.CommandLine;
using Polymath.Generation;

namespace Polymath.Cli;

/// <summary>The options that say how tokens are chosen and how many.</summary>
internal sealed class SamplingArguments
{
    private readonly Option<float> _temperature = Declare.Number(["--temp"], "T", "Temperature; 0 always takes the most likely token", 0.8f);
    private readonly Option<int> _topK = Declare.Integer(["--top-k"], "N", "Choose among the N most likely tokens; 0 for all", 40);
    private readonly Option<float> _topP = Declare.Number(
        ["--top-p"], "P", "Choose among the fewest tokens whose probabilities reach P; 1 for all", 0.95f, most: 1);
    private readonly Option<float> _minP = Declare.Number(
        ["--min-p"], "P", "Leave out tokens less likely than P times the most likely one; 0 for none", 0.05f, most: 1);
    private readonly Option<float> _penalty = Declare.Number(
        ["--repeat-penalty"], "X", "Make recent tokens less likely; 1 for not", 1f, least: 0.01f, most: 100, shown: "1");
    private readonly Option<int> _window = Declare.Integer(["--repeat-last-n"], "N", "Tokens that the penalty looks back", 64);
    private readonly Option<ulong?> _seed = Declare.Seed("The same seed gives the same text (default: a new one each time)");

    /// <summary>How many tokens.</summary>
    public Option<int> Tokens { get; } = Declare.Integer(
        ["--tokens", "-n"], "N", "Most tokens to write; -1 until the model ends or the context is full", -1, least: -1);

    /// <summary>How they are chosen.</summary>
    public Option[] Choice => [_temperature, _topK, _topP, _minP, _penalty, _window, _seed];

    /// <summary>The options as given.</summary>
    public GenerationOptions Read(ParseResult parse) => new()
    {
        MaxTokens = parse.GetValue(Tokens),
        Sampling = new SamplingOptions
        {
            Temperature = parse.GetValue(_temperature),
            TopK = parse.GetValue(_topK),
            TopP = parse.GetValue(_topP),
            MinP = parse.GetValue(_minP),
            RepeatPenalty = parse.GetValue(_penalty),
            RepeatWindow = parse.GetValue(_window),
            Seed = parse.GetValue(_seed),
        },
    };
}
