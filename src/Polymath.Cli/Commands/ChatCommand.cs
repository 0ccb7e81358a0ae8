using System.CommandLine;
using Polymath.Chat;
using Polymath.Cli.Chat;
using Polymath.Generation;
using Polymath.Generation.Constraints;
using Polymath.Models;

namespace Polymath.Cli.Commands;

/// <summary>Talks with a model.</summary>
internal sealed class ChatCommand : CliCommand
{
    private readonly Argument<string?> _model = Declare.Optional(
        "MODEL", $"{ModelArgument.Forms} (default: ${DefaultModel.Variable}, else the model in models/).");
    private readonly Option<string?> _system = Declare.Text(["--system", "-s"], "TEXT", "Standing instructions for the model.");
    private readonly Option<string?> _load = Declare.Text(["--load"], "FILE", "Go on with a saved conversation.");
    private readonly Option<bool> _lines = Declare.Switch("--lines", "Take each line of standard input for a message of its own, with /commands, as on a terminal.");
    private readonly SamplingArguments _sampling = new();
    private readonly Option<bool> _think = Declare.Switch("--think", "Ask the model to reason first.");
    private readonly Option<bool> _noThink = Declare.Switch("--no-think", "Ask it not to.");
    private readonly FormatOptions _format = new();
    private readonly CacheOptions _cache = new();
    private readonly Option<int> _threads = Declare.Integer(["--threads", "-t"], "N", "Threads to compute with; 0 for one per processor", 0, most: 1024);
    private readonly Option<bool> _offline = Declare.Switch("--offline", "Do not offer to pull a model that is not here.");

    public ChatCommand()
        : base("chat", "Talk with a model. Answers go to standard output.")
    {
        Add(_model);
        AddGroup("Conversation", _system, _load, _lines, _think, _noThink);
        AddGroup("Answers", [_sampling.Tokens, .. _format.Options]);
        AddGroup("Choice of tokens", _sampling.Choice);
        AddGroup("Context", _cache.Context, _cache.Keys, _cache.Values);
        AddGroup("Machine", _threads, _offline);
        Notes =
        [
            "On a terminal type a message, or /help. From a pipe all of standard input is one message. Ctrl-C ends an answer; the "
            + "conversation goes on with what there is of it.",
            "What was said before is not computed again: the line under each answer says how many tokens were reused.",
        ];
        AddExample("polymath chat model.gguf", "Talk.");
        AddExample("polymath chat model.gguf -s \"Answer in one sentence.\" < question.txt", "One question, one answer.");
        AddExample("polymath chat model.gguf --schema person.schema.json < letter.txt", "An answer that a program can read.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        bool think = parse.GetValue(_think), noThink = parse.GetValue(_noThink);
        if (think && noThink)
            throw new UsageException("--think and --no-think exclude each other");
        Grammar? format = _format.Read(parse, terminal.Cancellation);
        var conversation = new Conversation();
        if (parse.GetValue(_load) is { } saved)
            conversation.Load(saved, terminal.Cancellation);
        conversation.System = parse.GetValue(_system) ?? conversation.System;
        GenerationOptions generation = _sampling.Read(parse);
        var settings = new ChatSettings
        {
            Sampling = generation.Sampling,
            MaxTokens = generation.MaxTokens,
            Thinking = think ? true : noThink ? false : null,
        };
        bool lines = terminal.InputIsTerminal || parse.GetValue(_lines);
        string? message = lines ? null : TextInput.ReadAll(terminal.Input, "standard input", terminal.Cancellation).Trim();
        if (message is { Length: 0 })
            throw new UsageException("standard input is empty: there is nothing to answer");
        string path = ModelArgument.ResolveOrPull(parse.GetValue(_model), parse.GetValue(_offline), terminal);
        (Model model, ChatModel chat) = Chats.Open(path, parse.GetValue(_threads), _cache.Read(parse), terminal);
        using (model)
        using (chat)
        {
            Greet(chat, lines, terminal);
            var loop = new ChatLoop(chat, conversation, settings, format, terminal);
            return message is null ? loop.Run() : loop.Answer(message);
        }
    }

    private static void Greet(ChatModel chat, bool lines, Terminal terminal)
    {
        if (!chat.HasTemplate)
            terminal.Error.WriteLine("polymath: warning: this model has no chat template; ChatML is taken, which it may not know");
        if (lines && terminal.InputIsTerminal)
            terminal.Error.WriteLine($"{Printable.OneLine(ModelSummary.Name(chat.Model.Source))}, a context of {chat.Engine.ContextLength} tokens; /help lists the commands");
    }
}
