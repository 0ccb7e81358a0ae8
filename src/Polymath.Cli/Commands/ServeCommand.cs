using System.CommandLine;
using System.Net;
using Polymath.Chat;
using Polymath.Cli.Chat;
using Polymath.Models;
using Polymath.Server;

namespace Polymath.Cli.Commands;

/// <summary>Answers over HTTP.</summary>
internal sealed class ServeCommand : CliCommand
{
    /// <summary>Environment variable that may hold the key.</summary>
    public const string KeyVariable = "POLYMATH_API_KEY";

    private readonly Argument<string?> _model = Declare.Optional(
        "MODEL", $"{ModelArgument.Forms} (default: ${DefaultModel.Variable}, else the model in models/).");
    private readonly Option<string?> _host = Declare.Text(["--host"], "ADDRESS", "Address to listen on (default: 127.0.0.1). Others than this machine's own need a key.");
    private readonly Option<int> _port = Declare.Integer(["--port", "-p"], "N", "Port to listen on; 0 for one that is free", 8080, most: 65_535);
    private readonly Option<string?> _key = Declare.Text(
        ["--api-key"], "KEY", $"Answer only those who send this key; several with commas between (default: ${KeyVariable}).");
    private readonly Option<int> _parallel = Declare.Integer(["--parallel"], "N", "Texts written at the same time; more wait", 4, least: 1, most: 256);
    private readonly CacheOptions _cache = new();
    private readonly Option<int> _threads = Declare.Integer(["--threads", "-t"], "N", "Threads to compute with; 0 for one per processor", 0, most: 1024);

    public ServeCommand()
        : base("serve", "Answer over HTTP, as OpenAI's interface does.")
    {
        Add(_model);
        AddGroup("Network", _host, _port, _key);
        AddGroup("Context", _cache.Context, _cache.Keys, _cache.Values);
        AddGroup("Machine", _parallel, _threads);
        Notes =
        [
            "Runs until Ctrl-C or SIGTERM, then answers what it has begun. Other programs see a key on the command line: better "
            + $"give it in the environment, as {KeyVariable}.",
        ];
        AddExample("polymath serve model.gguf", "On http://127.0.0.1:8080, for this machine alone.");
        AddExample($"{KeyVariable}=secret polymath serve model.gguf --host 0.0.0.0", "For all who know the key.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        string[] keys = Keys(parse.GetValue(_key) ?? terminal.Variable(KeyVariable));
        IPAddress host = Address(parse.GetValue(_host) ?? "127.0.0.1");
        if (keys.Length == 0 && !IPAddress.IsLoopback(host))
            throw new UsageException($"{host} can be reached from other machines: give a key with --api-key or ${KeyVariable}");
        string path = ModelArgument.Resolve(parse.GetValue(_model), terminal);
        (Model model, ChatModel chat) = Chats.Open(path, parse.GetValue(_threads), _cache.Read(parse), terminal, parse.GetValue(_parallel));
        using (model)
        using (chat)
        {
            var options = new ServerOptions
            {
                Host = host,
                Port = parse.GetValue(_port),
                ApiKeys = keys,
                ModelName = Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(path)),
                OnDefect = defect => terminal.Error.WriteLine($"polymath: a request failed: {Printable.OneLine(defect.ToString())}"),
            };
            RunAsync(chat, options, terminal).GetAwaiter().GetResult();
        }

        return ExitCode.Success;
    }

    private static async Task RunAsync(ChatModel chat, ServerOptions options, Terminal terminal)
    {
        PolymathServer server = await PolymathServer.StartAsync(chat, options, terminal.Cancellation);
        await using (server)
        {
            terminal.Error.WriteLine($"polymath: {options.ModelName} at {server.Address.GetLeftPart(UriPartial.Authority)}/v1, a context of {chat.Engine.ContextLength} tokens");
            await server.RunAsync(terminal.Cancellation);
        }
    }

    private static string[] Keys(string? given) => given is null
        ? [] : given.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is { Length: > 0 } keys
            ? keys : throw new UsageException("the API key is empty");

    private static IPAddress Address(string given) => given switch
    {
        "localhost" => IPAddress.Loopback,
        "*" => IPAddress.Any,
        _ => IPAddress.TryParse(given.Trim('[', ']'), out IPAddress? address)
            ? address : throw new UsageException($"--host takes an IP address or localhost, not \"{Printable.OneLine(given)}\""),
    };
}
