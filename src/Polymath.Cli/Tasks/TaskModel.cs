using System.CommandLine;
using Polymath.Chat;
using Polymath.Cli.Chat;
using Polymath.Generation;
using Polymath.Generation.Constraints;
using Polymath.Models;

namespace Polymath.Cli.Tasks;

/// <summary>The options that all tasks have.</summary>
internal sealed class TaskOptions
{
    private readonly Option<string?> _model = Declare.Text(
        ["--model", "-m"], "MODEL", $"{ModelArgument.Forms} (default: ${DefaultModel.Variable}, else the model in models/)");
    private readonly CacheOptions _cache = new();
    private readonly Option<int> _threads = Declare.Integer(["--threads", "-t"], "N", "Threads to compute with; 0 for one per processor", 0, most: 1024);
    private readonly Option<bool> _offline = Declare.Switch("--offline", "Do not offer to pull a model that is not here.");

    /// <summary>Of the machine and the context.</summary>
    public Option[] Machine => [_model, _cache.Context, _cache.Keys, _cache.Values, _threads, _offline];

    /// <summary>Loads the model.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="texts">Texts that are worked on at a time.</param>
    /// <param name="terminal">Where warnings go.</param>
    public TaskModel Load(ParseResult parse, int texts, Terminal terminal)
    {
        string path = ModelArgument.ResolveOrPull(parse.GetValue(_model), parse.GetValue(_offline), terminal);
        (Model model, ChatModel chat) = Chats.Open(path, parse.GetValue(_threads), _cache.Read(parse), terminal, texts);
        return new TaskModel(model, chat, terminal);
    }
}

/// <summary>A model that answers single questions about texts.</summary>
internal sealed class TaskModel(Model model, ChatModel chat, Terminal terminal) : IDisposable
{
    /// <summary>The chat.</summary>
    public ChatModel Chat => chat;

    /// <summary>Tokens of a text by itself.</summary>
    public int Count(string text) => model.Tokenizer.Encode(text, addSpecial: false).Length;

    /// <summary>Tokens of a text that fit one question, the instructions and so long an answer beside it.</summary>
    /// <exception cref="InvalidOperationException">Too few to be of use.</exception>
    public int Room(string instructions, string question, int answer)
    {
        int taken = chat.Encode(Request(instructions, question, null, new GenerationOptions())).Length;
        int room = chat.Engine.ContextLength - taken - answer - 8;
        return room >= 32 ? room
            : throw new InvalidOperationException($"a context of {chat.Engine.ContextLength} tokens leaves no room for a text beside {taken} tokens of instructions and an answer of {answer}; see -c");
    }

    /// <summary>Asks one thing.</summary>
    /// <exception cref="InvalidDataException">The answer was cut off.</exception>
    public async Task<string> AskAsync(string name, string instructions, string text, Grammar? format, GenerationOptions options)
    {
        ChatReply reply = Start(name, Request(instructions, text, format, options));
        ChatResult result = await reply.ReadToEndAsync().ConfigureAwait(false);
        terminal.Cancellation.ThrowIfCancellationRequested();
        bool cut = result.Generation.Reason is StopReason.MaxTokens or StopReason.ContextFull;
        return cut && format is not null
            ? throw new InvalidDataException($"{name}: the answer was cut off after {result.Generation.Ids.Count} tokens; see -n and -c")
            : result.Message.Text.Trim();
    }

    /// <summary>The ids of a question, to be gone on from.</summary>
    public int[] Encode(string instructions, string text) => chat.Encode(Request(instructions, text, null, new GenerationOptions()));

    /// <inheritdoc/>
    public void Dispose()
    {
        chat.Dispose();
        model.Dispose();
    }

    private ChatReply Start(string name, ChatRequest request)
    {
        try
        {
            return chat.Start(request, terminal.Cancellation);
        }
        catch (ArgumentException e)
        {
            throw new InvalidOperationException($"{name}: {CommandLine.MessageOf(e)}; see -c", e);
        }
    }

    private static ChatRequest Request(string instructions, string text, Grammar? format, GenerationOptions options) => new()
    {
        Messages = [ChatMessage.System(instructions), ChatMessage.User(text)],
        Format = format,
        Thinking = false,
        Generation = options,
    };
}
